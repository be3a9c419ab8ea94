"""One error tree. Every error says what is wrong and what to do next; `cli.py` alone turns it into words and an exit status."""


class ClassifierError(Exception):
    """Base of all errors that a user can meet.

    message: what is wrong, in one sentence without a full stop.
    next_step: what the user can do about it, or empty.
    exit_status: the status that the command ends with if nobody handles the error.
    """

    exit_status = 2

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message}; {self.next_step}" if self.next_step else self.message


class UsageError(ClassifierError):
    """The call itself is wrong: a path that is not there, an option that makes no sense."""


class UnreadableDocument(ClassifierError):
    """One input file can't be read. A batch records it as failed and goes on."""

    exit_status = 1


class OcrMissing(ClassifierError):
    """OCR is asked for, but tesseract or its language data is not installed."""


class LabelledDataError(ClassifierError):
    """A labelled file breaks the format or the codebook."""


class ModelError(ClassifierError):
    """A model folder is missing, damaged, foreign or made for another codebook."""
