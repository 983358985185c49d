"""The one error that the Client API raises."""


class ClientApiError(RuntimeError):
    """Something is wrong between the script and its job process.

    ``code`` is that of the error catalogue (``client-api/no-task``), which says what to do.
    """

    def __init__(self, code: str, message: str):
        super().__init__(f"{message} [{code}]")
        self.code = code
