"""The colours of every page and figure, each as (light, dark).

Figures are drawn in the light ones; in a page each becomes a CSS variable and
follows the reader's scheme. The eight arm colours stay at least 16 apart in
CIE76 for normal sight and the three dichromacies (Machado et al. 2009), and
keep a contrast of 3 against page and paper; marks differ in shape as well. The
steps keep that contrast too; each is darker than the last, or lighter on dark
paper, and of five every two neighbours stay 14 apart for all.
"""

TOKENS: dict[str, tuple[str, str]] = {
    "desk": ("#f6f6f3", "#0f1215"),
    "paper": ("#ffffff", "#171a1f"),
    "soft": ("#eff0ee", "#22262d"),
    "rule": ("#d9dcdf", "#353b44"),
    "muted": ("#5a636d", "#a3acb7"),
    "ink": ("#1a1e23", "#e8ebee"),
    "accent": ("#1d57a6", "#86b6f2"),
    "wrong": ("#b4281f", "#ff9c91"),
}

ARMS: tuple[tuple[str, str], ...] = (
    ("#0b4fb3", "#5a9ae6"),
    ("#cf4a12", "#de742a"),
    ("#0a9c74", "#4fe39a"),
    ("#8a2f6b", "#c08fae"),
    ("#5b82f0", "#c0dcf8"),
    ("#76953b", "#f4b640"),
    ("#4b5040", "#86a070"),
    ("#55127a", "#9a70fa"),
)

# Steps of one quantity, from the smallest on: the further, the more they stand out.
STEPS: tuple[tuple[str, str], ...] = (
    ("#c9790f", "#6a58cc"),
    ("#d05a35", "#8f57cc"),
    ("#c4385f", "#b957bd"),
    ("#b0308a", "#dd5c9b"),
    ("#8a38a6", "#ee6e78"),
    ("#5f3aa6", "#f28a4f"),
    ("#22387c", "#f0ac3a"),
    ("#0f2f4d", "#e6d24c"),
    ("#08181f", "#f3f5b8"),
)

VARIABLES: dict[str, tuple[str, str]] = (
    TOKENS
    | {f"arm-{index}": colours for index, colours in enumerate(ARMS)}
    | {f"step-{index}": colours for index, colours in enumerate(STEPS)}
)


def light(token: str) -> str:
    """The light colour of a token, the one figures are drawn in."""
    return TOKENS[token][0]
