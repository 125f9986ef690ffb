"""Which parts a collection has, which lead to which, and which are still to be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from diskenc_analysis.live_asks import Ask, batches
from diskenc_analysis.live_folder import Folder

_VANISHED = "HTTP 404"


@dataclass(frozen=True)
class Plan:
    """The parts of a collection.

    Attributes
    ----------
    asks : list of Ask
        What is asked, without the query for the subscriptions themselves.
    folder : Folder
        What is there already.
    subscriptions : list of str
        Ids.
    """

    asks: list[Ask]
    folder: Folder
    subscriptions: list[str]

    def keys(self, ask: Ask) -> Iterator[tuple[str, list[str]]]:
        """Give the keys of an ask's parts, with the subscriptions of each."""
        if ask.via == "graph":
            for number, batch in enumerate(batches(self.subscriptions), start=1):
                yield f"tenant-{number}", batch
        elif ask.once:
            yield "once", self.subscriptions
        else:
            for one in self.subscriptions:
                yield one, [one]

    def children(self, ask: Ask) -> list[Ask]:
        """Give the asks that the rows of an ask lead to."""
        return [child for child in self.asks if child.parent == ask.name]

    def waits(self, ask: Ask, subscriptions: list[str]) -> bool:
        """Say whether an ask, or one that it leads to, is not complete for some of the subscriptions."""
        if not ask.type:
            return self.children_wait(ask, subscriptions)
        return any(self.folder.parts[ask.name, one].status != "complete" for one in subscriptions)

    def children_wait(self, ask: Ask, subscriptions: list[str]) -> bool:
        """Say whether what an ask leads to is not complete for some of the subscriptions."""
        return any(self.waits(child, subscriptions) for child in self.children(ask))

    def list_again(self) -> None:
        """Let the lists be asked again in which an earlier run found what had vanished when it came to it."""
        for ask in self.asks:
            for key, those in self.keys(ask):
                part = self.folder.parts.get((ask.name, key))
                if part and any(self._vanished(child, those) for child in self.children(ask)):
                    self.folder.ask_again([part])

    def _vanished(self, ask: Ask, subscriptions: list[str]) -> bool:
        found = [self.folder.earlier.get((ask.name, one)) for one in subscriptions]
        here = any(part and _VANISHED in part.reason for part in found)
        return here or any(self._vanished(child, subscriptions) for child in self.children(ask))


def leading(chosen: Iterable[Ask], names: Collection[str]) -> set[str]:
    """Give the names of asks, with those of the asks whose rows lead to them.

    Parameters
    ----------
    chosen : iterable of Ask
        What `asks` gave.
    names : collection of str
        Some of them.

    Returns
    -------
    set of str

    Examples
    --------
    >>> from diskenc_analysis.live_asks import asks
    >>> sorted(leading(asks(), ["image_versions"]))
    ['galleries', 'gallery_images', 'image_versions']
    """
    parents = {ask.name: ask.parent for ask in chosen}
    found = set(names)
    while more := {parents[name] for name in found if parents.get(name)} - found:
        found |= more
    return found
