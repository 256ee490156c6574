"""How often somebody may try to sign in, and how many passwords are looked at together."""

from anyio import CapacityLimiter

from podcast_app import people
from podcast_app.throttle import Throttle

ALL = ""  # no e-mail address


class SignIns:
    """Of one process. Tries are counted by e-mail address, and all together; no visitor's address is kept."""

    def __init__(self) -> None:
        self.hashing = CapacityLimiter(2)  # each takes 64 MiB and a core for a fifth of a second
        self._of_one = Throttle(burst=8, pause=60)
        self._of_all = Throttle(burst=60, pause=1)
        self._where_known = Throttle(burst=8, pause=60)
        self._guesses = Throttle(burst=60, pause=1)

    def wait(self, email: str) -> int:
        """Count a try: 0 when it may go on, or else the seconds until it may."""
        # all together first: made-up addresses that wait anyway make nobody's tries forgotten
        return self._of_all.wait(ALL) or self._of_one.wait(email)

    def wait_where_known(self, name: str) -> int:
        """The same where this person has signed in before (doors.known_as): no stranger's tries keep them out."""
        return self._where_known.wait(name)

    def wait_with_link(self, secret: str) -> int:
        """The same for a form behind a one-time link that is good: nor do they here."""
        return self._where_known.wait(f"link:{people.digest(secret)}")

    def wait_after_guess(self) -> int:
        """Count a link that leads nowhere: they say nothing to anybody, and good ones never wait for it."""
        return self._guesses.wait(ALL)

    def forgive(self, name: str) -> None:
        """It was the right password: of this address, or in this browser."""
        self._of_one.forgive(name)
        self._where_known.forgive(name)
