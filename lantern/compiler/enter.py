"""The text of `enter`, the function that `doorway.py` loads; what it is about is told there.

What is looked at before a run is in `holding.py`, what results are made of in `giving.py`, and the
loops of both in `walks.py`.

Beside LLVM's own there are two kinds of lines: `%x = word P, N` reads the N-th word behind P as an
address, and `%x = number P, N` as a whole number. `$NAME` stands for a fact given from outside.
"""

from __future__ import annotations

import re

from . import giving, holding

NAMES = ("_node", "_base", "_array", "_storage", "_grad", "_index", "enabled", "inference")

_READ = re.compile(r"^ *(%[\w.]+) = (word|number) ([%@][\w.]+), (\S+)$", re.MULTILINE)


def text(facts: dict[str, int]) -> str:
    """Returns the function as LLVM assembly."""
    found = _HEAD + holding.TEXT + giving.TEXT + _TRY + _ENTER
    found = re.sub(r"\$(\w+)", lambda match: str(facts[match[1]]), found)
    return _READ.sub(_read, found)


def calls() -> list[str]:
    """Returns the functions of Python's that the text calls."""
    return re.findall(r"^declare .*@(Py\w+)\(", _HEAD, re.MULTILINE)


def _read(match: re.Match) -> str:
    name, kind, base, number = match.groups()
    kind = "ptr" if kind == "word" else "i64"
    return (
        f"  {name}.at = getelementptr i64, ptr {base}, i64 {number}\n"
        f"  {name} = load {kind}, ptr {name}.at"
    )


_HEAD = """
declare ptr @PyObject_GetAttr(ptr, ptr)
declare i32 @PyObject_SetAttr(ptr, ptr, ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare i32 @PyType_IsSubtype(ptr, ptr)
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare ptr @PyList_GetItem(ptr, i64)
declare ptr @PyTuple_GetItem(ptr, i64)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare i64 @PyObject_Size(ptr)
declare ptr @PyObject_CallNoArgs(ptr)
declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare void @PyErr_Clear()
declare ptr @PyErr_Occurred()
declare i32 @PyErr_ExceptionMatches(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyThreadState_Get()
declare i64 @PyThreadState_GetID(ptr)
declare i64 @PyLong_AsSsize_t(ptr)
declare ptr @PyLong_FromSsize_t(i64)
declare ptr @PyLong_AsVoidPtr(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1 immarg)

@none = global ptr null
@true = global ptr null
@false = global ptr null
@miss = global ptr null
@exception = global ptr null
@zero = global ptr null
@mode = global ptr null
@tensor = global ptr null
@float = global ptr null
@tuple = global ptr null
@ndarray = global ptr null
@name_node = global ptr null
@name_base = global ptr null
@name_array = global ptr null
@name_storage = global ptr null
@name_grad = global ptr null
@name_index = global ptr null
@name_enabled = global ptr null
@name_inference = global ptr null
"""

# One entry: gives null where something does not hold, the number 1 where an error was raised. What
# may run Python is looked at first; an object that is compared with later is held meanwhile, as
# another might take its place in memory.
_TRY = """
; Says whether a function gives True. An error counts as no, unless it has nothing to do with it, as
; KeyboardInterrupt: then it stays.
define internal i1 @yes(ptr %question) {
  %answer = call ptr @PyObject_CallNoArgs(ptr %question)
  %raised = icmp eq ptr %answer, null
  br i1 %raised, label %bad, label %told
told:
  call void @Py_DecRef(ptr %answer)
  %true = load ptr, ptr @true
  %good = icmp eq ptr %answer, %true
  ret i1 %good
bad:
  %usual = load ptr, ptr @exception
  %is = call i32 @PyErr_ExceptionMatches(ptr %usual)
  %other = icmp eq i32 %is, 0
  br i1 %other, label %no, label %clear
clear:
  call void @PyErr_Clear()
  br label %no
no:
  ret i1 false
}

define internal ptr @try(ptr %e, ptr %args, i64 %given) {
  %count = number %e, $count
  %counted = icmp eq i64 %count, %given
  br i1 %counted, label %look.version, label %miss
look.version:
  %good.version = call i1 @version(ptr %e)
  br i1 %good.version, label %look.modes, label %miss
look.modes:
  %good.modes = call i1 @modes(ptr %e)
  br i1 %good.modes, label %look.items, label %miss
look.items:
  %group = getelementptr i64, ptr %e, i64 $items
  %good.items = call i1 @spots(ptr %group)
  br i1 %good.items, label %look.grads, label %miss
look.grads:
  %grads.at = word %e, $grads
  %grads = load ptr, ptr %grads.at
  %seen = word %e, $seen
  %untouched = icmp eq ptr %grads, %seen
  br i1 %untouched, label %direct, label %touched
direct:
  %result.1 = call ptr @settled(ptr %e, ptr %args, ptr null)
  ret ptr %result.1
touched:
  call void @Py_IncRef(ptr %grads)
  %check = word %e, $check
  %unchecked = icmp eq ptr %check, null
  br i1 %unchecked, label %checked, label %checking
checking:
  %good.check = call i1 @yes(ptr %check)
  br i1 %good.check, label %checked, label %let.go
checked:
  %result.2 = call ptr @settled(ptr %e, ptr %args, ptr %grads)
  br label %let.go
let.go:
  %result = phi ptr [null, %checking], [%result.2, %checked]
  call void @Py_DecRef(ptr %grads)
  ret ptr %result
miss:
  ret ptr null
}

; The last look: nothing between it and the run may run Python.
define internal i1 @ready(ptr %e, ptr %args, ptr %grads) {
  %words = word %e, $words
  %good.words = call i1 @words(ptr %words)
  br i1 %good.words, label %look.version, label %bad
look.version:
  %good.version = call i1 @still(ptr %e)
  br i1 %good.version, label %look.grads, label %bad
look.grads:
  %now.at = word %e, $grads
  %now = load ptr, ptr %now.at
  %seen = word %e, $seen
  %untouched = icmp eq ptr %grads, null
  %must = select i1 %untouched, ptr %seen, ptr %grads
  %good.grads = icmp eq ptr %now, %must
  br i1 %good.grads, label %look.arguments, label %bad
look.arguments:
  %good = call i1 @arguments(ptr %e, ptr %args)
  ret i1 %good
bad:
  ret i1 false
}

; What is done when all but the last look is good. The count of gradients is null if it is as seen.
define internal ptr @settled(ptr %e, ptr %args, ptr %grads) {
  %good.first = call i1 @ready(ptr %e, ptr %args, ptr %grads)
  br i1 %good.first, label %found, label %miss
found:
  %on = word %e, $go_on
  %whole = icmp eq ptr %on, null
  br i1 %whole, label %prepare, label %python
python:
  %rest = call ptr @in_python(ptr %e, ptr %on, ptr %args)
  ret ptr %rest
prepare:
  %fresh.at = alloca i64
  store i64 0, ptr %fresh.at
  %count = number %e, $count
  %results = number %e, $result_count
  %size = add i64 %results, %count
  %room = add i64 %size, 1
  %made = alloca ptr, i64 %room
  %there = call i64 @memories(ptr %e, ptr %made, ptr %fresh.at)
  %all.there = icmp eq i64 %there, %results
  br i1 %all.there, label %prepared, label %undo
prepared:
  %fresh = load i64, ptr %fresh.at
  %quiet = icmp eq i64 %fresh, 0
  br i1 %quiet, label %run, label %look
look:
  %good = call i1 @ready(ptr %e, ptr %args, ptr %grads)
  br i1 %good, label %run, label %back
run:
  %segment = word %e, $segment
  call void %segment()
  %error.at = word %e, $error
  %error = load i64, ptr %error.at
  %failed = icmp ne i64 %error, 0
  br i1 %failed, label %fail, label %ran
fail:
  store i64 0, ptr %error.at
  br label %back
ran:
  call void @values(ptr %e, ptr %made)
  %fields = word %e, $fields
  call void @counts(ptr %fields)
  call void @written(ptr %e, ptr %args)
  %good.tensors = call i1 @tensors(ptr %e, ptr %made)
  br i1 %good.tensors, label %drop, label %undo
drop:
  %good.drop = call i1 @dropped(ptr %e, ptr %grads)
  br i1 %good.drop, label %give, label %undo
give:
  %result = call ptr @given(ptr %e, ptr %made, ptr %args)
  ret ptr %result
undo:
  call void @let_go(ptr %made, i64 %there)
  ret ptr inttoptr (i64 1 to ptr)
back:
  call void @let_go(ptr %made, i64 %there)
  br label %miss
miss:
  ret ptr null
}

define internal ptr @in_python(ptr %e, ptr %on, ptr %args) {
  %count = number %e, $count
  %inside = word %e, $inside
  store i64 1, ptr %inside
  %rest = call ptr @PyObject_Vectorcall(ptr %on, ptr %args, i64 %count, ptr null)
  store i64 0, ptr %inside
  %raised = icmp eq ptr %rest, null
  br i1 %raised, label %bad, label %told
told:
  %miss.object = load ptr, ptr @miss
  %not.done = icmp eq ptr %rest, %miss.object
  br i1 %not.done, label %miss, label %done
done:
  ret ptr %rest
miss:
  call void @Py_DecRef(ptr %rest)
  ret ptr null
bad:
  ret ptr inttoptr (i64 1 to ptr)
}

; Takes gradients away that the function has used up; says whether that was done without an error.
define internal i1 @dropped(ptr %e, ptr %grads) {
  %untouched = icmp eq ptr %grads, null
  br i1 %untouched, label %good, label %some
some:
  %dropper = word %e, $drop
  %none = icmp eq ptr %dropper, null
  br i1 %none, label %note, label %call
call:
  %told = call ptr @PyObject_CallNoArgs(ptr %dropper)
  %raised = icmp eq ptr %told, null
  br i1 %raised, label %bad, label %done
done:
  call void @Py_DecRef(ptr %told)
  br label %note
note:
  %seen = word %e, $seen
  call void @Py_IncRef(ptr %grads)
  store ptr %grads, ptr %seen.at
  call void @Py_DecRef(ptr %seen)
  br label %good
good:
  ret i1 true
bad:
  ret i1 false
}

; What the call gives, made of the results, whose references it takes, and of the arguments.
define internal ptr @given(ptr %e, ptr %made, ptr %args) {
  %count = number %e, $count
  %results = number %e, $result_count
  %size = add i64 %results, %count
  %how = number %e, $returns
  switch i64 %how, label %finish [i64 0, label %single i64 1, label %constant i64 2, label %pack]
single:
  %result = load ptr, ptr %made
  ret ptr %result
constant:
  %fixed = word %e, $returned
  call void @Py_IncRef(ptr %fixed)
  ret ptr %fixed
pack:
  %packed = call ptr @PyTuple_New(i64 %results)
  %unpacked = icmp eq ptr %packed, null
  br i1 %unpacked, label %undo, label %packing
packing:
  %k = phi i64 [0, %pack], [%k.next, %packing.one]
  %full = icmp eq i64 %k, %results
  br i1 %full, label %packed.all, label %packing.one
packing.one:
  %item = word %made, %k
  %set = call i32 @PyTuple_SetItem(ptr %packed, i64 %k, ptr %item)
  %k.next = add i64 %k, 1
  br label %packing
packed.all:
  ret ptr %packed
finish:
  %function = word %e, $returned
  %rest.at = getelementptr ptr, ptr %made, i64 %results
  %rest.size = mul i64 %count, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %rest.at, ptr %args, i64 %rest.size, i1 false)
  %whole.result = call ptr @PyObject_Vectorcall(ptr %function, ptr %made, i64 %size, ptr null)
  call void @let_go(ptr %made, i64 %results)
  %raised = icmp eq ptr %whole.result, null
  %answer = select i1 %raised, ptr inttoptr (i64 1 to ptr), ptr %whole.result
  ret ptr %answer
undo:
  call void @let_go(ptr %made, i64 %results)
  ret ptr inttoptr (i64 1 to ptr)
}

define internal void @let_go(ptr %list, i64 %count) {
start:
  br label %look
look:
  %n = phi i64 [0, %start], [%m, %one]
  %end = icmp eq i64 %n, %count
  br i1 %end, label %done, label %one
one:
  %object = word %list, %n
  call void @Py_DecRef(ptr %object)
  %m = add i64 %n, 1
  br label %look
done:
  ret void
}
"""

# A chain: the general way or 0, entries, 0.
_ENTER = """
define ptr @enter(ptr %self, ptr %args, i64 %given, ptr %names) {
start:
  %chain = call ptr @PyLong_AsVoidPtr(ptr %self)
  %general = load ptr, ptr %chain
  %named = icmp ne ptr %names, null
  br i1 %named, label %slow, label %look
look:
  %at = phi ptr [%chain, %start], [%next, %missed.one]
  %next = getelementptr i64, ptr %at, i64 1
  %e = load ptr, ptr %next
  %end = icmp eq ptr %e, null
  br i1 %end, label %slow, label %one
one:
  %found = call ptr @try(ptr %e, ptr %args, i64 %given)
  %missed = icmp eq ptr %found, null
  br i1 %missed, label %missed.one, label %done
missed.one:
  %error = call ptr @PyErr_Occurred()
  %calm = icmp eq ptr %error, null
  br i1 %calm, label %look, label %interrupted
interrupted:
  ret ptr null
done:
  %raised = icmp eq ptr %found, inttoptr (i64 1 to ptr)
  %answer = select i1 %raised, ptr null, ptr %found
  ret ptr %answer
slow:
  %alone = icmp eq ptr %general, null
  br i1 %alone, label %miss, label %call
call:
  %called = call ptr @PyObject_Vectorcall(ptr %general, ptr %args, i64 %given, ptr %names)
  ret ptr %called
miss:
  %object = load ptr, ptr @miss
  call void @Py_IncRef(ptr %object)
  ret ptr %object
}
"""
