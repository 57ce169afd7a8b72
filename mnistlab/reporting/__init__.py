"""One self-contained HTML page for a run, a study or a comparison.

`page` says what a page holds, `render` makes HTML of it, `figures` draws its pictures; the other
files say what is on which page. Plain values in, bytes out: nothing in these three knows of
recipes or torch.
"""
