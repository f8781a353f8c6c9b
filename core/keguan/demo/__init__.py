"""An invented city: its sales, files and staff, for ``keguan demo`` and ``keguan simulate``."""
