"""Pictures of counts over days: as SVG from a template of our own, as PNG where somebody wants a file to show."""
