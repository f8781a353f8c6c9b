"""Ways out: one module per adapter, all spoken to through `keguan.adapters.base`."""
