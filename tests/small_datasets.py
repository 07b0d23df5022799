"""Small datasets that several tests read."""

from __future__ import annotations

from lantern import data


class Words(data.Dataset):
    """Samples without anything that could be gathered."""

    def __init__(self, words):
        self.words = words

    def __getitem__(self, index):
        return self.words[index]

    def __len__(self):
        return len(self.words)


class Stream(data.IterableDataset):
    def __init__(self, size, length=None):
        self.size = size
        self.length = length

    def __iter__(self):
        return iter(range(self.size))

    def __len__(self):
        if self.length is None:
            raise TypeError("no length")
        return self.length
