"""How `enter` counts writes and makes results, as text of the kind that `enter.py` describes."""

from __future__ import annotations

from . import walks

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

define internal void @count_one(ptr %spot) {
  %list = alloca [2 x ptr]
  store ptr %spot, ptr %list
  %second = getelementptr ptr, ptr %list, i64 1
  store ptr null, ptr %second
  call void @counts(ptr %list)
  ret void
}
"""

# The memory of arguments that were written.
_WRITTEN = walks.arguments(
    "void @written(ptr %e, ptr %args)",
    """
  %marked = number %r, 6
  %not = icmp eq i64 %marked, 0
  br i1 %not, label %on, label %raise
raise:
  %given = word %args, %n
  %name = load ptr, ptr @name_storage
  %storage = call ptr @attribute(ptr %given, ptr %name)
  %version = getelementptr i8, ptr %storage, i64 $version
  call void @count_one(ptr %version)
  br label %on""",
    """
  ret void""",
)

# Results: (where the address of the values is, an offset to it, bytes, node or 0, which output of
# the node, what makes memory, which of two memories is the older, and these: storage and array).
# Memory that nobody but the entry knows is taken again. In place of the older one -1 stands for
# results that are always of new memory, -2 for those that are arrays and no tensors.
#
# All memory is there before the run, as making it may run Python, and with it other threads; after
# the run all values are taken before anything else is done, as they would be another's else.
_GIVES = """
; A storage, or an array, with a reference for the caller; null where an error was raised.
define internal ptr @memory(ptr %r, ptr %fresh.at) {
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
  %s = phi ptr [%s0, %start], [%s1, %second]
  call void @Py_IncRef(ptr %s)
  %count.at = getelementptr i8, ptr %s, i64 $version
  %count = load ptr, ptr %count.at
  %zero = load ptr, ptr @zero
  %unwritten = icmp eq ptr %count, %zero
  br i1 %unwritten, label %done, label %reset
reset:
  call void @Py_IncRef(ptr %zero)
  store ptr %zero, ptr %count.at
  call void @Py_DecRef(ptr %count)
  br label %done
done:
  ret ptr %s
fresh:
  store i64 1, ptr %fresh.at
  %maker = word %r, 5
  %new = call ptr @PyObject_CallNoArgs(ptr %maker)
  %raised = icmp eq ptr %new, null
  %older = number %r, 6
  %single = icmp slt i64 %older, 0
  %as.is = or i1 %raised, %single
  br i1 %as.is, label %given, label %exchange
exchange:
  %a.new.at = getelementptr i8, ptr %new, i64 $array
  %a.new = load ptr, ptr %a.new.at
  %twice = mul i64 %older, 2
  %which = add i64 %twice, 7
  %gone = word %r, %which
  store ptr %new, ptr %gone.at
  %a.gone.at = getelementptr i64, ptr %gone.at, i64 1
  store ptr %a.new, ptr %a.gone.at
  %newer = sub i64 1, %older
  store i64 %newer, ptr %older.at
  call void @Py_IncRef(ptr %new)
  call void @Py_DecRef(ptr %gone)
  br label %given
given:
  ret ptr %new
}
"""

# The memory of all results; gives how much of it there is, which is less where an error was raised.
_MEMORIES = walks.results(
    "i64 @memories(ptr %e, ptr %made, ptr %fresh.at)",
    """
  %memory = call ptr @memory(ptr %r, ptr %fresh.at)
  %raised = icmp eq ptr %memory, null
  br i1 %raised, label %done, label %put
put:
  %to = getelementptr ptr, ptr %made, i64 %n
  store ptr %memory, ptr %to
  br label %on""",
    """
  ret i64 %n""",
)

# Takes the values of all results.
_VALUES = walks.results(
    "void @values(ptr %e, ptr %made)",
    """
  %s = word %made, %n
  %older = number %r, 6
  %bare = icmp eq i64 %older, -2
  br i1 %bare, label %take, label %stored
stored:
  %inner.at = getelementptr i8, ptr %s, i64 $array
  %inner = load ptr, ptr %inner.at
  br label %take
take:
  %a = phi ptr [%s, %one], [%inner, %stored]
  call void @copy(ptr %r, ptr %a)
  br label %on""",
    """
  ret void""",
)

# Puts tensors in the place of the memory; says whether that was done without an error.
_TENSORS = walks.results(
    "i1 @tensors(ptr %e, ptr %made)",
    """
  %s = word %made, %n
  %older = number %r, 6
  %bare = icmp eq i64 %older, -2
  br i1 %bare, label %on, label %wrap
wrap:
  %a.at = getelementptr i8, ptr %s, i64 $array
  %a = load ptr, ptr %a.at
  %t = call ptr @wrapped(ptr %s, ptr %a, ptr %r)
  %raised = icmp eq ptr %t, null
  br i1 %raised, label %bad, label %put
put:
  store ptr %t, ptr %s.at
  call void @Py_DecRef(ptr %s)
  br label %on""",
    """
  ret i1 true
bad:
  ret i1 false""",
)

_PARTS = """
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

TEXT = _COUNTING + _WRITTEN + _GIVES + _MEMORIES + _VALUES + _TENSORS + _PARTS
