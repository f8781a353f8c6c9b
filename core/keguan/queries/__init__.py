"""Everything that can be asked afterwards: one module per list, each a stream of plain rows."""
