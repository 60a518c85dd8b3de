"""How well agents find what they remember in the stores that need no server."""
import unittest

from recall_quality import RecallQuality


class Ram(RecallQuality):
    def store(self, number):
        return 'plugin = "ram"'


class Sqlite(RecallQuality):
    WORDS_AT_LEAST = {"recall@5": 0.70, "MRR": 0.63}  # it knows words by their stems
    BOTH_AT_LEAST = {"recall@5": 0.875, "MRR": 0.78}

    def store(self, number):
        return f'plugin = "sqlite"\npath = "memory-{number}"'


if __name__ == "__main__":
    unittest.main()
