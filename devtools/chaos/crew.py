"""Afterglow's processes as a service manager keeps them: whatever ends is started again."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from devtools.chaos.place import WORKERS, Place
from devtools.processes import Child, children_of

RESTARTED_AFTER = 1.0  # seconds
GRACE = 8.0  # between SIGTERM and SIGKILL


@dataclass
class Post:
    """One process that is to run, and what is being done to it."""

    child: Child
    wanted: bool = True
    back_at: float = 0.0  # not started again before
    frozen_until: float = 0.0
    killed_at: float = 0.0  # asked to stop, and killed when it still runs then

    @property
    def untroubled(self) -> bool:
        return self.child.alive and not self.frozen_until and not self.killed_at


@dataclass
class Crew:
    place: Place
    posts: list[Post] = field(default_factory=list)

    def start(self) -> None:
        stack = self.place.stack
        self._post(stack.start_web(self.place.port, workers=1))
        for n in range(1, WORKERS + 1):
            self._post(self.place.start_worker(f"worker-{n}"))
        self._post(stack.start_beat())
        second = self._keep(stack.beat("beat-2"))
        self.posts.append(Post(second, wanted=False))

    def workers(self) -> list[Post]:
        return [post for post in self.posts if post.child.name.startswith("worker")]

    def beats(self) -> list[Post]:
        return [post for post in self.posts if post.child.name.startswith("beat")]

    def tend(self) -> None:
        """What time brings: restarts, thaws, the end of patience."""
        now = time.monotonic()
        for post in self.posts:
            if post.frozen_until and now >= post.frozen_until:
                self.thaw(post)
            if post.killed_at and now >= post.killed_at:
                post.child.kill()
            if not post.child.alive:
                post.frozen_until = post.killed_at = 0.0
                if post.wanted and now >= post.back_at:
                    post.child.start()
                    post.back_at = now + RESTARTED_AFTER

    def kill(self, post: Post, away: float) -> None:
        post.child.kill()
        post.back_at = time.monotonic() + away

    def kill_a_child_of(self, post: Post, rng: Random) -> None:
        """One process of a worker's pool, as when the machine runs out of memory."""
        pool = children_of(post.child.pid)
        if pool:
            _signal(os.kill, rng.choice(pool), signal.SIGKILL)

    def ask_to_stop(self, post: Post) -> None:
        post.child.ask_to_stop()
        post.killed_at = time.monotonic() + GRACE

    def freeze(self, post: Post, seconds: float) -> None:
        _signal(os.killpg, post.child.pid, signal.SIGSTOP)
        post.frozen_until = time.monotonic() + seconds

    def thaw(self, post: Post) -> None:
        if post.child.alive:
            _signal(os.killpg, post.child.pid, signal.SIGCONT)
        post.frozen_until = 0.0

    def calm(self) -> None:
        """Everything runs that should, and nothing else."""
        for post in self.posts:
            self.thaw(post)
            post.back_at = 0.0
        for second in self.beats()[1:]:
            second.wanted = False
            second.child.kill()
        self.tend()

    def halt(self) -> None:
        """Ask everything of ours to stop, so that nothing moves while it is judged."""
        for post in self.posts:
            post.wanted = False
            post.child.ask_to_stop()
        for post in self.posts:
            post.child.stop(GRACE)

    def _post(self, child: Child) -> None:
        self.posts.append(Post(self._keep(child)))

    def _keep(self, child: Child) -> Child:
        self.place.children.append(child)
        return child


def _signal(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    """To a process that may have ended an instant ago."""
    with contextlib.suppress(ProcessLookupError):
        send(pid, number)
