"""How often the checker is right on the labelled sets: those it was made with, and those it was not."""

from clinragen.evaluate.checker import checker_scores
from clinragen.grounding.accuracy import FILES

SAMPLES = 1000


def main() -> None:
    """Print every score of both sets with its interval over cases."""
    for part in FILES:
        for name, score in checker_scores(SAMPLES, seed=0, part=part).items():
            told = f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"
            print(f"{part:12} {name:40} {told}  n {score.n}")


if __name__ == "__main__":
    main()
