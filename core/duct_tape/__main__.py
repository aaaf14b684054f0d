"""``python -m duct_tape`` is ``duct-tape``."""

from duct_tape.cli import main

if __name__ == "__main__":
    main()
