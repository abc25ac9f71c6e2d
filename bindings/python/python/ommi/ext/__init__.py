"""Extensions: the drivers that Ommi comes with."""
