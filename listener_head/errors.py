"""The one error that a user can mend."""

# Exit status of a command or a node that was stopped by a UserError.
EXIT_BAD_INPUT = 2
# Exit status of an evaluation that did what could be done, and has named what could not be read.
EXIT_PARTIAL = 3


class UserError(ValueError):
    """Bad input from outside: a file, a parameter, a device, a message.

    The text is one line that names the thing, the value found and the fix. Commands print it
    without a traceback and leave with status 2; nodes log it and refuse to configure.
    """
