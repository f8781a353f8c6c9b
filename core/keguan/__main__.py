"""``python -m keguan``."""

from keguan.cli import main

if __name__ == "__main__":
    main()
