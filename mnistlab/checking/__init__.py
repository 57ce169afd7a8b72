"""The student's checker: names the mistake in a network written by hand, with its line.

`check` takes a class, function, module or dictionary of names of this process, or the path of a
file, which then runs in a process of its own.
"""

from __future__ import annotations

from mnistlab.checking.checking import check as check
from mnistlab.checking.finding import Finding as Finding
from mnistlab.checking.finding import Report as Report
from mnistlab.checking.sandbox import check_file as check_file
