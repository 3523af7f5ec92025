"""How often the checker is right on each of the labelled sets it was made with."""

from clinragen.evaluate.checker import checker_scores
from clinragen.grounding.accuracy import FILES

SAMPLES = 1000


def main() -> None:
    """Print every score of every set with its interval over cases."""
    for part in FILES:
        for name, score in checker_scores(SAMPLES, seed=0, part=part).items():
            told = f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"
            print(f"{name:50} {told}  n {score.n}")


if __name__ == "__main__":
    main()
