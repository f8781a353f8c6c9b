"""What a variant changes: the standard with it and without it, and the work that each makes."""

from keguan.comparing.variant import compare_variant

__all__ = ["compare_variant"]
