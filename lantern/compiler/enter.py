"""The text of `enter`, the function that `doorway.py` loads; what it is about is told there.

Beside LLVM's own there are two kinds of lines: `%x = word P, N` reads the N-th word behind P as an
address, and `%x = number P, N` as a whole number. `$NAME` stands for a fact given from outside.
"""

from __future__ import annotations

import re

from . import holding

NAMES = ("_node", "_base", "_array", "_storage", "_grad", "_index", "enabled", "inference")

_READ = re.compile(r"^ *(%[\w.]+) = (word|number) ([%@][\w.]+), (\S+)$", re.MULTILINE)


def text(facts: dict[str, int]) -> str:
    """Returns the function as LLVM assembly."""
    found = _HEAD + holding.TEXT + _COUNTING + _GIVES + _TRY + _ENTER
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
@nameenabled = global ptr null
@nameinference = global ptr null
"""

# Raises the whole numbers in a list of fields by one. Those of one run are often one object.
_COUNTING = """
define internal void @counts(ptr %list) {
start:
  br label %field
field:
  %at = phi ptr [%list, %start], [%next, %put]
  %old.last = phi ptr [null, %start], [%old, %put]
  %new.last = phi ptr [null, %start], [%new, %put]
  %spot = load ptr, ptr %at
  %over = icmp eq ptr %spot, null
  br i1 %over, label %done, label %raise
raise:
  %old = load ptr, ptr %spot
  %known = icmp eq ptr %old, %old.last
  br i1 %known, label %again, label %make
again:
  call void @Py_IncRef(ptr %new.last)
  br label %put
make:
  %number = call i64 @PyLong_AsSsize_t(ptr %old)
  %higher = add i64 %number, 1
  %made = call ptr @PyLong_FromSsize_t(i64 %higher)
  br label %put
put:
  %new = phi ptr [%new.last, %again], [%made, %make]
  store ptr %new, ptr %spot
  call void @Py_DecRef(ptr %old)
  %next = getelementptr i64, ptr %at, i64 1
  br label %field
done:
  ret void
}

; The memory of arguments that were written.
define internal void @written(ptr %e, ptr %args) {
start:
  %count = number %e, $count
  %first = word %e, $arguments
  %one = alloca [2 x ptr]
  br label %look
look:
  %n = phi i64 [0, %start], [%m, %on]
  %r = phi ptr [%first, %start], [%next, %on]
  %end = icmp eq i64 %n, %count
  br i1 %end, label %done, label %ask
ask:
  %marked = number %r, 6
  %not = icmp eq i64 %marked, 0
  br i1 %not, label %on, label %raise
raise:
  %given = word %args, %n
  %name = load ptr, ptr @name_storage
  %storage = call ptr @attribute(ptr %given, ptr %name)
  %version = getelementptr i8, ptr %storage, i64 $version
  store ptr %version, ptr %one
  %second = getelementptr ptr, ptr %one, i64 1
  store ptr null, ptr %second
  call void @counts(ptr %one)
  br label %on
on:
  %m = add i64 %n, 1
  %length = number %r, 8
  %next = getelementptr i64, ptr %r, i64 %length
  br label %look
done:
  ret void
}
"""

# Results: (where the address of the values is, an offset to it, bytes, node or 0, which output of
# the node, what makes memory, which of two memories is the older, and these: storage and array).
# Memory that nobody but the entry knows is taken again. In place of the older one -1 stands for
# results that are always of new memory, -2 for those that are arrays and no tensors.
_GIVES = """
define internal ptr @result(ptr %r) {
start:
  %s0 = word %r, 7
  %a0 = word %r, 8
  %free0 = call i1 @unused(ptr %s0, ptr %a0)
  br i1 %free0, label %again, label %second
second:
  %s1 = word %r, 9
  %a1 = word %r, 10
  %free1 = call i1 @unused(ptr %s1, ptr %a1)
  br i1 %free1, label %again, label %fresh
again:
  %s.old = phi ptr [%s0, %start], [%s1, %second]
  %a.old = phi ptr [%a0, %start], [%a1, %second]
  call void @Py_IncRef(ptr %s.old)
  %count.at = getelementptr i8, ptr %s.old, i64 $version
  %count = load ptr, ptr %count.at
  %zero = load ptr, ptr @zero
  %unwritten = icmp eq ptr %count, %zero
  br i1 %unwritten, label %fill, label %reset
reset:
  call void @Py_IncRef(ptr %zero)
  store ptr %zero, ptr %count.at
  call void @Py_DecRef(ptr %count)
  br label %fill
fresh:
  %maker = word %r, 5
  %s.new = call ptr @PyObject_CallNoArgs(ptr %maker)
  %raised = icmp eq ptr %s.new, null
  br i1 %raised, label %bad, label %keep
keep:
  %older = number %r, 6
  %bare = icmp eq i64 %older, -2
  br i1 %bare, label %array, label %stored
array:
  call void @copy(ptr %r, ptr %s.new)
  ret ptr %s.new
stored:
  %a.new.at = getelementptr i8, ptr %s.new, i64 $array
  %a.new = load ptr, ptr %a.new.at
  %single = icmp slt i64 %older, 0
  br i1 %single, label %fill, label %exchange
exchange:
  %twice = mul i64 %older, 2
  %which = add i64 %twice, 7
  %s.gone = word %r, %which
  store ptr %s.new, ptr %s.gone.at
  %a.gone.at = getelementptr i64, ptr %s.gone.at, i64 1
  store ptr %a.new, ptr %a.gone.at
  %newer = sub i64 1, %older
  store i64 %newer, ptr %older.at
  call void @Py_IncRef(ptr %s.new)
  call void @Py_DecRef(ptr %s.gone)
  br label %fill
fill:
  %s = phi ptr [%s.old, %again], [%s.old, %reset], [%s.new, %stored], [%s.new, %exchange]
  %a = phi ptr [%a.old, %again], [%a.old, %reset], [%a.new, %stored], [%a.new, %exchange]
  call void @copy(ptr %r, ptr %a)
  %made = call ptr @wrapped(ptr %s, ptr %a, ptr %r)
  call void @Py_DecRef(ptr %s)
  ret ptr %made
bad:
  ret ptr null
}

define internal void @copy(ptr %r, ptr %a) {
  %to.at = getelementptr i8, ptr %a, i64 $data
  %to = load ptr, ptr %to.at
  %base.at = word %r, 0
  %offset = number %r, 1
  %size = number %r, 2
  %base = load ptr, ptr %base.at
  %from = getelementptr i8, ptr %base, i64 %offset
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %size, i1 false)
  ret void
}

define internal i1 @unused(ptr %s, ptr %a) {
  %none = icmp eq ptr %s, null
  br i1 %none, label %no, label %held
held:
  %count.at = getelementptr i8, ptr %s, i64 $references
  %count = load i32, ptr %count.at
  %alone = icmp eq i32 %count, 1
  %weak.at = getelementptr i8, ptr %s, i64 $weak
  %weak = load ptr, ptr %weak.at
  %unseen = icmp eq ptr %weak, null
  %array.at = getelementptr i8, ptr %s, i64 $array
  %array = load ptr, ptr %array.at
  %same = icmp eq ptr %array, %a
  %first = and i1 %alone, %unseen
  %both = and i1 %first, %same
  br i1 %both, label %inner, label %no
inner:
  %shown.at = getelementptr i8, ptr %a, i64 $references
  %shown = load i32, ptr %shown.at
  %only = icmp eq i32 %shown, 1
  ret i1 %only
no:
  ret i1 false
}

; A tensor around memory, as `wrap` makes it; null where an error was raised.
define internal ptr @wrapped(ptr %s, ptr %a, ptr %r) {
  %kind = load ptr, ptr @tensor
  %t = call ptr @PyType_GenericAlloc(ptr %kind, i64 0)
  %raised = icmp eq ptr %t, null
  br i1 %raised, label %bad, label %set
set:
  %name.array = load ptr, ptr @name_array
  %e1 = call i32 @PyObject_SetAttr(ptr %t, ptr %name.array, ptr %a)
  %name.storage = load ptr, ptr @name_storage
  %e2 = call i32 @PyObject_SetAttr(ptr %t, ptr %name.storage, ptr %s)
  %node = word %r, 3
  %plain = icmp eq ptr %node, null
  %e12 = or i32 %e1, %e2
  br i1 %plain, label %done, label %history
history:
  %name.node = load ptr, ptr @name_node
  %e3 = call i32 @PyObject_SetAttr(ptr %t, ptr %name.node, ptr %node)
  %name.index = load ptr, ptr @name_index
  %index = word %r, 4
  %e4 = call i32 @PyObject_SetAttr(ptr %t, ptr %name.index, ptr %index)
  %e34 = or i32 %e3, %e4
  %e1234 = or i32 %e12, %e34
  br label %done
done:
  %error = phi i32 [%e12, %set], [%e1234, %history]
  %failed = icmp ne i32 %error, 0
  br i1 %failed, label %lost, label %good
lost:
  call void @Py_DecRef(ptr %t)
  br label %bad
good:
  ret ptr %t
bad:
  ret ptr null
}
"""

# One entry: gives null where something does not hold, the number 1 where an error was raised.
_TRY = """
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
  call void @PyErr_Clear()
  ret i1 false
}

define internal ptr @try(ptr %e, ptr %args, i64 %given) {
  %count = number %e, $count
  %counted = icmp eq i64 %count, %given
  br i1 %counted, label %look, label %miss
look:
  %words = word %e, $words
  %good.words = call i1 @words(ptr %words)
  br i1 %good.words, label %look.version, label %miss
look.version:
  %good.version = call i1 @version(ptr %e)
  br i1 %good.version, label %look.modes, label %miss
look.modes:
  %good.modes = call i1 @modes(ptr %e)
  br i1 %good.modes, label %look.items, label %miss
look.items:
  %items = word %e, $items
  %good.items = call i1 @items(ptr %items)
  br i1 %good.items, label %look.places, label %miss
look.places:
  %places = word %e, $places
  %good.places = call i1 @places(ptr %places)
  br i1 %good.places, label %look.sizes, label %miss
look.sizes:
  %sizes = word %e, $sizes
  %good.sizes = call i1 @sizes(ptr %sizes)
  br i1 %good.sizes, label %look.more, label %miss
look.more:
  %more = word %e, $extra
  %no.more = icmp eq ptr %more, null
  br i1 %no.more, label %look.grads, label %ask
ask:
  %good.more = call i1 @yes(ptr %more)
  br i1 %good.more, label %look.again, label %miss
look.again:
  %good.again = call i1 @words(ptr %words)
  br i1 %good.again, label %version.again, label %miss
version.again:
  %good.version.again = call i1 @version(ptr %e)
  br i1 %good.version.again, label %look.grads, label %miss
look.grads:
  %grads.at = word %e, $grads
  %grads = load ptr, ptr %grads.at
  %seen = word %e, $seen
  %untouched = icmp eq ptr %grads, %seen
  br i1 %untouched, label %look.arguments, label %touched
touched:
  %check = word %e, $check
  %unchecked = icmp eq ptr %check, null
  br i1 %unchecked, label %look.arguments, label %checked
checked:
  %good.check = call i1 @yes(ptr %check)
  br i1 %good.check, label %look.arguments, label %miss
look.arguments:
  %good.arguments = call i1 @arguments(ptr %e, ptr %args)
  br i1 %good.arguments, label %found, label %miss
found:
  %on = word %e, $go_on
  %whole = icmp eq ptr %on, null
  br i1 %whole, label %run, label %python
python:
  %inside = word %e, $inside
  store i64 1, ptr %inside
  %rest = call ptr @PyObject_Vectorcall(ptr %on, ptr %args, i64 %count, ptr null)
  store i64 0, ptr %inside
  %on.raised = icmp eq ptr %rest, null
  br i1 %on.raised, label %raised, label %on.told
on.told:
  %miss.object = load ptr, ptr @miss
  %not.done = icmp eq ptr %rest, %miss.object
  br i1 %not.done, label %on.miss, label %on.done
on.miss:
  call void @Py_DecRef(ptr %rest)
  br label %miss
on.done:
  ret ptr %rest
run:
  %segment = word %e, $segment
  call void %segment()
  %error.at = word %e, $error
  %error = load i64, ptr %error.at
  %failed = icmp ne i64 %error, 0
  br i1 %failed, label %miss, label %ran
ran:
  %fields = word %e, $fields
  call void @counts(ptr %fields)
  call void @written(ptr %e, ptr %args)
  %results = number %e, $result_count
  %first = word %e, $results
  %size = add i64 %results, %count
  %room = add i64 %size, 1
  %made = alloca ptr, i64 %room
  br label %next
next:
  %n = phi i64 [0, %ran], [%m, %put]
  %all = icmp eq i64 %n, %results
  br i1 %all, label %drop, label %make
make:
  %skip = mul i64 %n, 11
  %record = getelementptr i64, ptr %first, i64 %skip
  %one = call ptr @result(ptr %record)
  %one.raised = icmp eq ptr %one, null
  br i1 %one.raised, label %undo, label %put
put:
  %to = getelementptr ptr, ptr %made, i64 %n
  store ptr %one, ptr %to
  %m = add i64 %n, 1
  br label %next
drop:
  br i1 %untouched, label %give, label %drop.seen
drop.seen:
  call void @Py_IncRef(ptr %grads)
  store ptr %grads, ptr %seen.at
  call void @Py_DecRef(ptr %seen)
  %dropper = word %e, $drop
  %none.dropped = icmp eq ptr %dropper, null
  br i1 %none.dropped, label %give, label %drop.call
drop.call:
  %dropped = call ptr @PyObject_CallNoArgs(ptr %dropper)
  %drop.raised = icmp eq ptr %dropped, null
  br i1 %drop.raised, label %undo, label %drop.done
drop.done:
  call void @Py_DecRef(ptr %dropped)
  br label %give
give:
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
  %whole.raised = icmp eq ptr %whole.result, null
  br i1 %whole.raised, label %raised, label %done
done:
  ret ptr %whole.result
undo:
  call void @let_go(ptr %made, i64 %n)
  br label %raised
raised:
  ret ptr inttoptr (i64 1 to ptr)
miss:
  ret ptr null
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
  %at = phi ptr [%chain, %start], [%next, %one]
  %next = getelementptr i64, ptr %at, i64 1
  %e = load ptr, ptr %next
  %end = icmp eq ptr %e, null
  br i1 %end, label %slow, label %one
one:
  %found = call ptr @try(ptr %e, ptr %args, i64 %given)
  %missed = icmp eq ptr %found, null
  br i1 %missed, label %look, label %done
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
