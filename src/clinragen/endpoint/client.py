"""Many questions to one endpoint: as many at once as it takes, every answer in the ledger as it comes."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from queue import SimpleQueue

from clinragen.endpoint.calls import Line, line_to, outcome_of
from clinragen.endpoint.endings import over_budget, unanswered
from clinragen.endpoint.ledger import Answer, Ledger, Outcome
from clinragen.endpoint.question import Endpoint, Question
from clinragen.errors import EndpointError

MOST_FAILURES_IN_A_ROW = 16
TRANSACTION_SECONDS = 0.005


def ask(questions: Iterable[Question], endpoint: Endpoint, ledger: Ledger) -> Iterator[tuple[str, Answer]]:
    """Each key with its answer, as they come; what the ledger knows comes from there, without a call.

    Questions are drawn only as the endpoint takes them, so that a generator of many costs no memory. An
    answer is in the ledger before it is given. Raises EndpointError where the endpoint refuses everything
    or cannot be reached, where the budget is used up, and, when all else is done, where questions failed
    that a later run may ask again; what was answered by then is kept, and a rerun goes on from there.
    """
    rest = iter(questions)
    for question in rest:
        known = ledger.settled(question.key, endpoint.failed_runs)
        if known is None:
            yield from _asked(chain([question], rest), endpoint, ledger)
            return
        yield question.key, known


def _asked(questions: Iterator[Question], endpoint: Endpoint, ledger: Ledger) -> Iterator[tuple[str, Answer]]:
    with line_to(endpoint) as line, ThreadPoolExecutor(endpoint.at_once) as pool:
        asking = _Asking(line, pool, ledger)
        try:
            yield from asking.go(questions)
        finally:
            asking.stop()
            asking.keep_the_rest()
    if asking.ending is not None:
        raise asking.ending


@dataclass
class _Asking:
    """The state of one run of questions: what is under way, what failed, and why to stop, if at all."""

    line: Line
    pool: ThreadPoolExecutor
    ledger: Ledger
    under_way: dict[str, Future[Outcome]] = field(default_factory=dict)
    done: SimpleQueue[str] = field(default_factory=SimpleQueue)
    failed: Counter[str] = field(default_factory=Counter)
    failures_in_a_row: int = 0
    answered: int = 0
    ending: EndpointError | None = None

    def go(self, questions: Iterator[Question]) -> Iterator[tuple[str, Answer]]:
        self._mind_the_budget()
        while True:
            yield from self._fill(questions)
            if not self.under_way:
                break
            yield from self._settle(self._come())
            self._mind_the_budget()
        if self.ending is None and self.failed:
            self.ending = unanswered(self.line.endpoint, self.failed.elements(), self.answered)

    def _come(self) -> list[str]:
        """The keys of calls that have ended, at least one; a moment's wait lets more share a transaction."""
        first = self.done.get()
        time.sleep(TRANSACTION_SECONDS)
        return [first, *(self.done.get() for _ in range(self.done.qsize()))]

    def stop(self) -> None:
        """Start no call any more; those under way end by themselves."""
        self.line.closing.set()
        for future in self.under_way.values():
            future.cancel()

    def keep_the_rest(self) -> None:
        """Record what was under way when nobody listened any more: it has been paid for."""
        rest = [each for future in self.under_way.values() if (each := self._outcome(future)) is not None]
        self.ledger.record(rest)

    def _fill(self, questions: Iterator[Question]) -> Iterator[tuple[str, Answer]]:
        """Keep a call waiting behind every call under way; give at once what the ledger knows."""
        while self.ending is None and len(self.under_way) < 2 * self.line.endpoint.at_once:
            question = next(questions, None)
            if question is None:
                return
            known = self.ledger.settled(question.key, self.line.endpoint.failed_runs)
            if known is not None:
                yield question.key, known
            elif question.key not in self.under_way:
                self._start(question)

    def _start(self, question: Question) -> None:
        future = self.pool.submit(outcome_of, self.line, question)
        self.under_way[question.key] = future
        future.add_done_callback(lambda _: self.done.put(question.key))

    def _settle(self, keys: list[str]) -> Iterator[tuple[str, Answer]]:
        """Record all that has come, in one transaction, then give the answers."""
        outcomes = [each for key in keys if (each := self._outcome(self.under_way.pop(key))) is not None]
        self.ledger.record(outcomes)
        for outcome in outcomes:
            if outcome.answer is not None:
                self.answered, self.failures_in_a_row = self.answered + 1, 0
                yield outcome.key, outcome.answer
            elif outcome.failed:
                yield from self._after_failure(outcome)

    def _outcome(self, future: Future[Outcome]) -> Outcome | None:
        try:
            return future.result()
        except CancelledError:
            return None
        except EndpointError as fault:
            self._end(fault)
            return None

    def _after_failure(self, outcome: Outcome) -> Iterator[tuple[str, Answer]]:
        self.failures_in_a_row += 1
        given_up = self.ledger.settled(outcome.key, self.line.endpoint.failed_runs)
        if given_up is not None:
            yield outcome.key, given_up
        else:
            self.failed[outcome.failed[-1].kind] += 1
        if self.failures_in_a_row >= MOST_FAILURES_IN_A_ROW:
            self._end(unanswered(self.line.endpoint, self.failed.elements(), self.answered))

    def _end(self, reason: EndpointError) -> None:
        if self.ending is None:
            self.ending = reason
            self.stop()

    def _mind_the_budget(self) -> None:
        fault = over_budget(self.line.endpoint, self.ledger) if self.ending is None else None
        if fault is not None:
            self._end(fault)
