"""`python -m classifier` is the `clauses` command."""

from classifier.cli import main

if __name__ == "__main__":
    main()
