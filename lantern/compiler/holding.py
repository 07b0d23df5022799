"""What `enter` looks at before it runs anything, as text of the kind that `enter.py` describes."""

from __future__ import annotations

from . import walks

_CLEAR = """
  call void @PyErr_Clear()"""

# Words in memory hold what they must.
_WORDS = """
  %is = load ptr, ptr %owner
  %must = word %at, 1
  %same = icmp eq ptr %is, %must"""

# Items of dictionaries: (dictionary, key, what it must be, where a number goes or 0, whether that
# must be other than zero (1) or zero (2), the place in a tuple from 1 on or 0).
_ITEMS = """
  %key = word %at, 1
  %must = word %at, 2
  %is = call ptr @PyDict_GetItemWithError(ptr %owner, ptr %key)
  %like = icmp eq ptr %is, %must
  br i1 %like, label %told, label %other
other:
  %taken = call i1 @exchanged(ptr %at, ptr %is)
  br label %told
told:
  %same = phi i1 [true, %find], [%taken, %other]"""

# Items of lists: (list, index, what it must be).
_PLACES = """
  %index = number %at, 1
  %must = word %at, 2
  %is = call ptr @PyList_GetItem(ptr %owner, i64 %index)
  %same = icmp eq ptr %is, %must"""

# Lengths: (object, length).
_SIZES = """
  %must = number %at, 1
  %is = call i64 @PyObject_Size(ptr %owner)
  %same = icmp eq i64 %is, %must"""

# Attributes: (object, name, what it must be).
_ATTRIBUTES = """
  %name = word %at, 1
  %must = word %at, 2
  %is = call ptr @attribute(ptr %owner, ptr %name)
  %same = icmp eq ptr %is, %must"""

_LISTS = (
    walks.every("words", 2, _WORDS)
    + walks.every("items", "$item_words", _ITEMS, last="told", wrong=_CLEAR)
    + walks.every("places", 3, _PLACES, wrong=_CLEAR)
    + walks.every("sizes", 2, _SIZES, wrong=_CLEAR)
    + walks.every("attributes", 3, _ATTRIBUTES)
)

# Takes another number than before from an item of a dictionary to where numbers go, if it may be
# one. It stays held, so that no other object takes its place.
_EXCHANGED = """
define internal i1 @exchanged(ptr %at, ptr %is) {
  %cell = word %at, 3
  %fixed = icmp eq ptr %cell, null
  %gone = icmp eq ptr %is, null
  %hopeless = or i1 %fixed, %gone
  br i1 %hopeless, label %bad, label %inside
inside:
  %place = number %at, 5
  %plain = icmp eq i64 %place, 0
  br i1 %plain, label %typed, label %packed
packed:
  %pack = load ptr, ptr @tuple
  %pack.is = word %is, 1
  %tuple.good = icmp eq ptr %pack.is, %pack
  br i1 %tuple.good, label %unpack, label %bad
unpack:
  %index = sub i64 %place, 1
  %part = call ptr @PyTuple_GetItem(ptr %is, i64 %index)
  %short = icmp eq ptr %part, null
  br i1 %short, label %bad, label %typed
typed:
  %found = phi ptr [%is, %inside], [%part, %unpack]
  %float = load ptr, ptr @float
  %type = word %found, 1
  %exact = icmp eq ptr %type, %float
  br i1 %exact, label %read, label %kind
kind:
  %below = call i32 @PyType_IsSubtype(ptr %type, ptr %float)
  %floating = icmp ne i32 %below, 0
  br i1 %floating, label %read, label %bad
read:
  %value = call double @PyFloat_AsDouble(ptr %found)
  %rule = number %at, 4
  %zero = fcmp oeq double %value, 0.0
  %never = icmp eq i64 %rule, 1
  %only = icmp eq i64 %rule, 2
  %nonzero = xor i1 %zero, true
  %no.1 = and i1 %never, %zero
  %no.2 = and i1 %only, %nonzero
  %no = or i1 %no.1, %no.2
  br i1 %no, label %bad, label %take
take:
  %must = word %at, 2
  store double %value, ptr %cell
  call void @Py_IncRef(ptr %is)
  store ptr %is, ptr %must.at
  call void @Py_DecRef(ptr %must)
  ret i1 true
bad:
  ret i1 false
}
"""


# All that a group of five words leads to: items, places, sizes, attributes, and a function or 0.
_SPOTS = """
define internal i1 @spots(ptr %group) {
  %list.i = word %group, 0
  %good.i = call i1 @items(ptr %list.i)
  br i1 %good.i, label %places, label %bad
places:
  %list.p = word %group, 1
  %good.p = call i1 @places(ptr %list.p)
  br i1 %good.p, label %sizes, label %bad
sizes:
  %list.s = word %group, 2
  %good.s = call i1 @sizes(ptr %list.s)
  br i1 %good.s, label %attributes, label %bad
attributes:
  %list.a = word %group, 3
  %good.a = call i1 @attributes(ptr %list.a)
  br i1 %good.a, label %more, label %bad
more:
  %function = word %group, 4
  %no.more = icmp eq ptr %function, null
  br i1 %no.more, label %good, label %ask
ask:
  %good.e = call i1 @yes(ptr %function)
  ret i1 %good.e
good:
  ret i1 true
bad:
  ret i1 false
}
"""

_VERSION = """
; The version of things that tell of their changes themselves. When it has moved on, all of them are
; looked at.
define internal i1 @version(ptr %e) {
  %good = call i1 @still(ptr %e)
  br i1 %good, label %done, label %look
look:
  %where = word %e, $counter
  %is = load ptr, ptr %where
  call void @Py_IncRef(ptr %is)
  %right = call i1 @far(ptr %e, ptr %is)
  call void @Py_DecRef(ptr %is)
  ret i1 %right
done:
  ret i1 true
}

; Says whether the version is that at which all was good.
define internal i1 @still(ptr %e) {
  %where = word %e, $counter
  %none = icmp eq ptr %where, null
  br i1 %none, label %good, label %look
look:
  %is = load ptr, ptr %where
  %must = word %e, $counted
  %same = icmp eq ptr %is, %must
  ret i1 %same
good:
  ret i1 true
}

define internal i1 @far(ptr %e, ptr %is) {
  %group = getelementptr i64, ptr %e, i64 $far_items
  %good = call i1 @spots(ptr %group)
  br i1 %good, label %again, label %bad
again:
  %where = word %e, $counter
  %now = load ptr, ptr %where
  %unmoved = icmp eq ptr %now, %is
  br i1 %unmoved, label %renew, label %bad
renew:
  %must = word %e, $counted
  call void @Py_IncRef(ptr %is)
  store ptr %is, ptr %must.at
  call void @Py_DecRef(ptr %must)
  ret i1 true
bad:
  ret i1 false
}
"""

# The mode of the thread that calls. What the thread that made the entry has set lies in a
# dictionary; threads are told apart by numbers that are never given twice.
_MODES = """
define internal i1 @modes(ptr %e) {
  %enabled = word %e, $enabled
  %inference = word %e, $inference
  %any = icmp eq ptr %enabled, null
  br i1 %any, label %good, label %ask
ask:
  %state = call ptr @PyThreadState_Get()
  %id = call i64 @PyThreadState_GetID(ptr %state)
  %own = number %e, $thread
  %mine = icmp eq i64 %id, %own
  br i1 %mine, label %quick, label %slow
quick:
  %space = word %e, $modes
  %key.e = load ptr, ptr @name_enabled
  %set.e = call ptr @PyDict_GetItemWithError(ptr %space, ptr %key.e)
  %unset.e = icmp eq ptr %set.e, null
  %usual.e = load ptr, ptr @true
  %is.e = select i1 %unset.e, ptr %usual.e, ptr %set.e
  %same.e = icmp eq ptr %is.e, %enabled
  br i1 %same.e, label %second, label %bad
second:
  %key.i = load ptr, ptr @name_inference
  %set.i = call ptr @PyDict_GetItemWithError(ptr %space, ptr %key.i)
  %unset.i = icmp eq ptr %set.i, null
  %usual.i = load ptr, ptr @false
  %is.i = select i1 %unset.i, ptr %usual.i, ptr %set.i
  %same.i = icmp eq ptr %is.i, %inference
  br i1 %same.i, label %good, label %bad
slow:
  %mode = load ptr, ptr @mode
  %name.e = load ptr, ptr @name_enabled
  %now.e = call ptr @attribute(ptr %mode, ptr %name.e)
  %like.e = icmp eq ptr %now.e, %enabled
  %name.i = load ptr, ptr @name_inference
  %now.i = call ptr @attribute(ptr %mode, ptr %name.i)
  %like.i = icmp eq ptr %now.i, %inference
  %both = and i1 %like.e, %like.i
  br i1 %both, label %good, label %bad
good:
  ret i1 true
bad:
  ret i1 false
}

; An attribute that something else holds, too; null where there is none.
define internal ptr @attribute(ptr %object, ptr %name) {
  %found = call ptr @PyObject_GetAttr(ptr %object, ptr %name)
  %none = icmp eq ptr %found, null
  br i1 %none, label %bad, label %good
good:
  call void @Py_DecRef(ptr %found)
  ret ptr %found
bad:
  call void @PyErr_Clear()
  ret ptr null
}
"""

# Arguments: (type or 0 for arrays, where the address of the data goes or 0, dtype, dimensions,
# bytes, the array that it must be or 0, whether it is written, whether `.grad` must be absent, the
# words of this record, then for each dimension its size and its stride, or 1 << 63 for any).
_ARGUMENTS = walks.arguments(
    "i1 @arguments(ptr %e, ptr %args)",
    """
  %ranges = word %e, $ranges
  %given = word %args, %n
  br label %apart
apart:
  %j = phi i64 [0, %one], [%j.next, %other]
  %all = icmp eq i64 %j, %n
  br i1 %all, label %alone, label %other
other:
  %earlier = word %args, %j
  %j.next = add i64 %j, 1
  %again = icmp eq ptr %earlier, %given
  br i1 %again, label %bad, label %apart
alone:
  %right = call i1 @argument(ptr %r, ptr %given, ptr %ranges)
  br i1 %right, label %on, label %bad""",
    """
  ret i1 true
bad:
  ret i1 false""",
)

_ARGUMENT = """
define internal i1 @argument(ptr %r, ptr %given, ptr %ranges) {
start:
  %type = word %r, 0
  %none = load ptr, ptr @none
  %bare = icmp eq ptr %type, null
  br i1 %bare, label %array, label %tensor
tensor:
  %is.type = word %given, 1
  %typed = icmp eq ptr %is.type, %type
  br i1 %typed, label %history, label %bad
history:
  %name.node = load ptr, ptr @name_node
  %node = call ptr @attribute(ptr %given, ptr %name.node)
  %leaf = icmp eq ptr %node, %none
  br i1 %leaf, label %view, label %bad
view:
  %name.base = load ptr, ptr @name_base
  %base = call ptr @attribute(ptr %given, ptr %name.base)
  %root = icmp eq ptr %base, %none
  br i1 %root, label %grad, label %based
based:
  %gone = icmp eq ptr %base, null
  br i1 %gone, label %bad, label %base.node
base.node:
  %node.base = call ptr @attribute(ptr %base, ptr %name.node)
  %plain = icmp eq ptr %node.base, %none
  br i1 %plain, label %grad, label %bad
grad:
  %graded = number %r, 7
  %free = icmp eq i64 %graded, 0
  br i1 %free, label %unwrap, label %absent
absent:
  %name.grad = load ptr, ptr @name_grad
  %held = call ptr @attribute(ptr %given, ptr %name.grad)
  %none.held = icmp eq ptr %held, %none
  br i1 %none.held, label %unwrap, label %bad
unwrap:
  %name.array = load ptr, ptr @name_array
  %inner = call ptr @attribute(ptr %given, ptr %name.array)
  %lost = icmp eq ptr %inner, null
  br i1 %lost, label %bad, label %array
array:
  %x = phi ptr [%given, %start], [%inner, %unwrap]
  %x.type = word %x, 1
  %kind = load ptr, ptr @ndarray
  %is.array = icmp eq ptr %x.type, %kind
  br i1 %is.array, label %element, label %bad
element:
  %dtype.at = getelementptr i8, ptr %x, i64 $dtype
  %dtype = load ptr, ptr %dtype.at
  %dtype.must = word %r, 2
  %dtype.good = icmp eq ptr %dtype, %dtype.must
  br i1 %dtype.good, label %dimensions, label %bad
dimensions:
  %ndim.at = getelementptr i8, ptr %x, i64 $ndim
  %ndim.short = load i32, ptr %ndim.at
  %ndim = sext i32 %ndim.short to i64
  %ndim.must = number %r, 3
  %shape.at = getelementptr i8, ptr %x, i64 $shape
  %shape = load ptr, ptr %shape.at
  %strides.at = getelementptr i8, ptr %x, i64 $strides
  %strides = load ptr, ptr %strides.at
  %ndim.good = icmp eq i64 %ndim, %ndim.must
  br i1 %ndim.good, label %dim, label %bad
dim:
  %d = phi i64 [0, %dimensions], [%d.next, %step]
  %dims = icmp eq i64 %d, %ndim
  br i1 %dims, label %memory, label %extent
extent:
  %where = mul i64 %d, 2
  %w1 = add i64 %where, 9
  %w2 = add i64 %where, 10
  %extent.must = number %r, %w1
  %stride.must = number %r, %w2
  %extent.is = number %shape, %d
  %extent.good = icmp eq i64 %extent.is, %extent.must
  br i1 %extent.good, label %step, label %bad
step:
  %d.next = add i64 %d, 1
  %stride.is = number %strides, %d
  %stride.same = icmp eq i64 %stride.is, %stride.must
  %any = icmp eq i64 %stride.must, -9223372036854775808
  %stride.good = or i1 %stride.same, %any
  br i1 %stride.good, label %dim, label %bad
memory:
  %must = word %r, 5
  %free.array = icmp eq ptr %must, null
  %same.array = icmp eq ptr %must, %x
  %right = or i1 %free.array, %same.array
  br i1 %right, label %slot, label %bad
slot:
  %to = word %r, 1
  %unread = icmp eq ptr %to, null
  br i1 %unread, label %good, label %data
data:
  %data.at = getelementptr i8, ptr %x, i64 $data
  %low.at = load ptr, ptr %data.at
  %had = load ptr, ptr %to
  %same = icmp eq ptr %low.at, %had
  br i1 %same, label %good, label %apart
apart:
  %low = ptrtoint ptr %low.at to i64
  %size = number %r, 4
  %high = add i64 %low, %size
  %none.written = icmp eq ptr %ranges, null
  br i1 %none.written, label %set, label %span
span:
  %p = phi ptr [%ranges, %apart], [%p.next, %meet]
  %from = number %p, 0
  %end = number %p, 1
  %last = icmp eq i64 %end, 0
  br i1 %last, label %set, label %meet
meet:
  %p.next = getelementptr i64, ptr %p, i64 2
  %before = icmp ult i64 %low, %end
  %after = icmp ult i64 %from, %high
  %both = and i1 %before, %after
  br i1 %both, label %bad, label %span
set:
  store ptr %low.at, ptr %to
  br label %good
good:
  ret i1 true
bad:
  ret i1 false
}
"""

TEXT = _LISTS + _EXCHANGED + _SPOTS + _VERSION + _MODES + _ARGUMENTS + _ARGUMENT
