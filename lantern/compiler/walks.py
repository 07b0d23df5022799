"""The loops in the text of `enter`: over lists, arguments and results, as `enter.py` describes it.

What is done with each stands between `first` and `last`, the labels at which it begins and ends.
"""

from __future__ import annotations


def every(name: str, size: str | int, question: str, last: str = "find", wrong: str = "") -> str:
    """Returns a function that says whether `question` finds all items of a list `%same`.

    An item has `size` words, `%at` leads to it, and `%owner` is its first; the list ends where that
    is zero. `wrong` is what is done where an item is not the same.
    """
    return f"""
define internal i1 @{name}(ptr %list) {{
start:
  br label %look
look:
  %at = phi ptr [%list, %start], [%next, %{last}]
  %owner = load ptr, ptr %at
  %end = icmp eq ptr %owner, null
  br i1 %end, label %good, label %find
find:
  %next = getelementptr i64, ptr %at, i64 {size}{question}
  br i1 %same, label %look, label %bad
good:
  ret i1 true
bad:{wrong}
  ret i1 false
}}
"""


def arguments(head: str, body: str, ends: str) -> str:
    """Returns a function with a loop over the arguments: the `%n`-th and what is known of it, `%r`.

    `body` goes from the label `one` to the label `on`; behind the last is `done`.
    """
    return f"""
define internal {head} {{
start:
  %count = number %e, $count
  %first = word %e, $arguments
  br label %look
look:
  %n = phi i64 [0, %start], [%m, %on]
  %r = phi ptr [%first, %start], [%next, %on]
  %end = icmp eq i64 %n, %count
  br i1 %end, label %done, label %one
one:{body}
on:
  %m = add i64 %n, 1
  %length = number %r, 8
  %next = getelementptr i64, ptr %r, i64 %length
  br label %look
done:{ends}
}}
"""


def results(head: str, body: str, ends: str) -> str:
    """Returns a function with a loop over the results: the `%n`-th and what is known of it, `%r`.

    `body` goes from the label `one` to the label `on`; behind the last is `done`.
    """
    return f"""
define internal {head} {{
start:
  %results = number %e, $result_count
  %first = word %e, $results
  br label %look
look:
  %n = phi i64 [0, %start], [%m, %on]
  %all = icmp eq i64 %n, %results
  br i1 %all, label %done, label %one
one:
  %skip = mul i64 %n, $result_words
  %r = getelementptr i64, ptr %first, i64 %skip{body}
on:
  %m = add i64 %n, 1
  br label %look
done:{ends}
}}
"""
