"""The colours of every page and figure, each as (light, dark).

Figures are drawn in the light ones; in a page each becomes a CSS variable and
follows the reader's scheme. The eight arm colours stay at least 16 apart in
CIE76 for normal sight and the three dichromacies (Machado et al. 2009), and
keep a contrast of 3 against page and paper; marks differ in shape as well.
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

VARIABLES: dict[str, tuple[str, str]] = TOKENS | {
    f"arm-{index}": colours for index, colours in enumerate(ARMS)
}


def light(token: str) -> str:
    """The light colour of a token, the one figures are drawn in."""
    return TOKENS[token][0]
