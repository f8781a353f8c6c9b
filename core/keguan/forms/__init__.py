"""Forms: the one way people give data. Declared by plugins, filled in by people, checked here.

Plugins need only ``load_forms`` and the values in ``keguan``.
"""

from keguan.forms.declared import load_forms

__all__ = ["load_forms"]
