"""The command line: ``rmda-ref crosscheck …``, ``rmda-ref vectors …``."""

import sys


def main() -> None:
    """Run the command line, which needs the extra ``crosscheck``."""
    try:
        from rmda_ref.crosscheck.cli import app
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rmda_ref"):
            raise
        sys.exit(f"the command line needs {error.name}: pip install 'rmda-ref[crosscheck]'")
    app()


if __name__ == "__main__":
    main()
