"""Threads that help a compiled step: they claim the parts of a kernel by one atomic word.

The word holds the number of the job and the first and last part that nobody has taken. The caller
claims from the front and helpers from the back, so that the same memory stays with the same thread
from step to step. The caller waits only for what others have claimed: nothing is lost when nobody
comes. Results never depend on who computed a part. A helper without work looks at
the word for a while and then sleeps. Whether helpers pay is measured: each step keeps the mean time
with and without them, goes the better way, and now and then tries the other one again: helpers that
other processes hold up at most half a second later, and they lose with the first call that waits
for one of them. A mean is of the last eight calls, or of the last millisecond where that is longer,
so that an interrupt which holds up one short call decides nothing. All of this is native code,
written below; Python only starts the threads and stops them at exit.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading

from ..backends import blas

MOST = 16  # threads that a step is ever cut for

# The state of a step: which way it goes now (0: with helpers), calls until the next decision, the
# mean times in ns with and without helpers, whether this is a trial, calls that do not count yet,
# ns that helpers are left alone after they lose, when the step began, no decision before this time,
# calls that the mean of this way counts, no call counts before this time.
INITIAL = (1, 8, 0, 0, 0, 2, 8_000_000, 0, 0, 0, 0)
WORDS = len(INITIAL)
STATE = f"[{WORDS} x i64] [{', '.join(f'i64 {each}' for each in INITIAL)}]"


def cores() -> int:
    """Returns how many processors this process may use, at most as many as steps are cut for."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(found or 1, MOST)


class Pool:
    """The threads of this process, and the addresses of what steps call."""

    def __init__(self) -> None:
        from .runtime import host, load

        engine = self._engine = load(_text(host().triple), host())
        self.entries = [engine.get_function_address(name) for name in ("share", "begin", "end")]
        word = ctypes.c_int64.from_address
        self._limit = word(engine.get_global_value_address("limit"))
        self._quit = word(engine.get_global_value_address("quit"))
        prototype = ctypes.CFUNCTYPE(None)
        self._work = prototype(engine.get_function_address("work"))
        self._wake = prototype(engine.get_function_address("wake"))
        prototype(engine.get_function_address("prepare"))()
        self._threads: list[threading.Thread] = []
        atexit.register(self.stop)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def resize(self, threads: int) -> None:
        """Lets steps use so many threads, the caller's among them."""
        if self._quit.value:
            return
        helpers = min(threads, cores()) - 1
        while len(self._threads) < helpers:
            thread = threading.Thread(target=self._work, name="lantern helper", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._limit.value = helpers

    def stop(self) -> None:
        """Ends all threads: none may be inside native code when that goes away."""
        self._limit.value = 0
        self._quit.value = 1
        if self._threads:
            self._wake()
        for each in self._threads:
            each.join()
        self._threads.clear()

    def _forget(self) -> None:
        """In a forked process there are no helpers."""
        self._limit.value = 0
        self._quit.value = 1
        self._threads.clear()


_lock = threading.Lock()
_pool: Pool | None = None


def pool() -> Pool | None:
    """Returns the pool, started on first use; None where a platform lacks what it is made of."""
    global _pool
    with _lock:
        if _pool is None and sys.platform in ("linux", "darwin"):
            _pool = Pool()
            _pool.resize(blas.threads() or cores())
            blas.listeners.append(_pool.resize)
        return _pool


def _text(triple: str) -> str:
    if triple.startswith(("x86_64", "i686")):
        pause, declared = "call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"
    elif triple.startswith(("aarch64", "arm64")):
        pause = "call void @llvm.aarch64.hint(i32 1)"
        declared = "declare void @llvm.aarch64.hint(i32)"
    else:
        pause, declared = "", ""
    clock = 6 if sys.platform == "darwin" else 1  # CLOCK_MONOTONIC
    facts = {"PAUSE": pause, "DECLARED": declared, "CLOCK": str(clock)}
    text = _SHARE + _WORK + _DECIDE
    for name, value in facts.items():
        text = text.replace(f"${name}", value)
    return text


_SHARE = """
$DECLARED
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @sched_yield()
declare i32 @clock_gettime(i32, ptr)
declare i64 @llvm.smax.i64(i64, i64)
declare i64 @llvm.smin.i64(i64, i64)

@word = global i64 0, align 128
@done = global i64 0, align 128
@job = global ptr null, align 128
@sleeping = global i64 0, align 128
@quit = global i64 0
@limit = global i64 0
@now = global i64 0
@mutex = global [128 x i8] zeroinitializer, align 128
@signal = global [128 x i8] zeroinitializer, align 128

define void @prepare() {
  %a = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %b = call i32 @pthread_cond_init(ptr @signal, ptr null)
  ret void
}

define void @wake() {
  %a = call i32 @pthread_mutex_lock(ptr @mutex)
  %b = call i32 @pthread_cond_broadcast(ptr @signal)
  %c = call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}

; Runs f(0), f(1), ..., f(parts - 1), with the help of those who are there.
define void @share(ptr %f, i64 %parts) {
entry:
  %now = load i64, ptr @now
  %alone = icmp eq i64 %now, 0
  br i1 %alone, label %serial, label %publish
serial:
  %i = phi i64 [0, %entry], [%i.next, %serial]
  call void %f(i64 %i)
  %i.next = add i64 %i, 1
  %i.more = icmp ult i64 %i.next, %parts
  br i1 %i.more, label %serial, label %end
publish:
  %old = load atomic i64, ptr @word monotonic, align 8
  %number = lshr i64 %old, 32
  %number.next = add i64 %number, 1
  %high = shl i64 %number.next, 32
  %new = or i64 %high, %parts
  store atomic ptr %f, ptr @job monotonic, align 8
  store atomic i64 0, ptr @done monotonic, align 8
  store atomic i64 %new, ptr @word seq_cst, align 8
  %asleep = load atomic i64, ptr @sleeping seq_cst, align 8
  %some = icmp ne i64 %asleep, 0
  br i1 %some, label %rouse, label %look
rouse: ; once: one that is awake may still have to wait for a processor
  store atomic i64 0, ptr @sleeping seq_cst, align 8
  call void @wake()
  br label %look
look:
  %mine = phi i64 [0, %publish], [0, %rouse], [%mine, %try], [%mine.next, %run]
  %seen = load atomic i64, ptr @word acquire, align 8
  %last = and i64 %seen, 65535
  %shifted = lshr i64 %seen, 16
  %free = and i64 %shifted, 65535
  %any = icmp ult i64 %free, %last
  br i1 %any, label %try, label %wait
try:
  %after = add i64 %seen, 65536
  %pair = cmpxchg ptr @word, i64 %seen, i64 %after acq_rel monotonic
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %run, label %look
run:
  call void %f(i64 %free)
  %mine.next = add i64 %mine, 1
  br label %look
wait:
  %others = sub i64 %parts, %mine
  br label %poll
poll:
  %finished = load atomic i64, ptr @done acquire, align 8
  %all = icmp eq i64 %finished, %others
  br i1 %all, label %end, label %again
again:
  $PAUSE
  br label %poll
end:
  ret void
}
"""

_WORK = """
; What a helper does, until it is told to quit.
define void @work() {
entry:
  br label %look
look:
  %idle = phi i64 [0, %entry], [%idle, %try], [0, %run], [%idle.next, %rest], [0, %rouse]
  %seen = load atomic i64, ptr @word acquire, align 8
  %last = and i64 %seen, 65535
  %shifted = lshr i64 %seen, 16
  %free = and i64 %shifted, 65535
  %any = icmp ult i64 %free, %last
  br i1 %any, label %try, label %none
try:
  %after = sub i64 %seen, 1
  %mine = sub i64 %last, 1
  %pair = cmpxchg ptr @word, i64 %seen, i64 %after acq_rel monotonic
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %run, label %look
run:
  %f = load atomic ptr, ptr @job monotonic, align 8
  call void %f(i64 %mine)
  %count = atomicrmw add ptr @done, i64 1 release
  br label %look
none:
  %idle.next = add i64 %idle, 1
  %long = icmp ugt i64 %idle.next, 3000
  br i1 %long, label %sleep, label %rest
rest:
  $PAUSE
  br label %look
sleep:
  %quit = call i1 @sleep()
  br i1 %quit, label %end, label %rouse
rouse: ; the caller may have been on this processor, and must not wait
  %x = call i32 @sched_yield()
  br label %look
end:
  ret void
}

; Sleeps until there is work; says whether to quit.
define i1 @sleep() {
entry:
  %a = call i32 @pthread_mutex_lock(ptr @mutex)
  br label %look
look:
  store atomic i64 1, ptr @sleeping seq_cst, align 8
  %quit = load atomic i64, ptr @quit seq_cst, align 8
  %over = icmp ne i64 %quit, 0
  %seen = load atomic i64, ptr @word seq_cst, align 8
  %last = and i64 %seen, 65535
  %shifted = lshr i64 %seen, 16
  %free = and i64 %shifted, 65535
  %any = icmp ult i64 %free, %last
  %up = or i1 %any, %over
  br i1 %up, label %end, label %wait
wait:
  %c = call i32 @pthread_cond_wait(ptr @signal, ptr @mutex)
  br label %look
end:
  %e = call i32 @pthread_mutex_unlock(ptr @mutex)
  ret i1 %over
}

define i64 @clock() {
  %time = alloca [2 x i64]
  %a = call i32 @clock_gettime(i32 $CLOCK, ptr %time)
  %seconds = load i64, ptr %time
  %second = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %second
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  ret i64 %now
}
"""

_DECIDE = """
; Before a step: helpers are there or not, as its state says.
define void @begin(ptr %state) {
entry:
  %limit = load i64, ptr @limit
  %none = icmp eq i64 %limit, 0
  br i1 %none, label %alone, label %measured
alone:
  store i64 0, ptr @now
  ret void
measured:
  %way = load i64, ptr %state
  %serial = icmp ne i64 %way, 0
  %now = select i1 %serial, i64 0, i64 %limit
  store i64 %now, ptr @now
  %time = call i64 @clock()
  %began = getelementptr i64, ptr %state, i64 7
  store i64 %time, ptr %began
  ret void
}

; After a step: its time is noted, and when it is time for that, the way is chosen anew.
define void @end(ptr %state) {
entry:
  %limit = load i64, ptr @limit
  %none = icmp eq i64 %limit, 0
  br i1 %none, label %done, label %noted
noted:
  %time = call i64 @clock()
  %p.began = getelementptr i64, ptr %state, i64 7
  %began = load i64, ptr %p.began
  %taken = sub i64 %time, %began
  %way = load i64, ptr %state
  %p.left = getelementptr i64, ptr %state, i64 1
  %p.trial = getelementptr i64, ptr %state, i64 4
  %p.skip = getelementptr i64, ptr %state, i64 5
  %p.apart = getelementptr i64, ptr %state, i64 6
  %p.with = getelementptr i64, ptr %state, i64 2
  %p.without = getelementptr i64, ptr %state, i64 3
  %place = add i64 %way, 2
  %p.mean = getelementptr i64, ptr %state, i64 %place
  %p.until = getelementptr i64, ptr %state, i64 8
  %p.calls = getelementptr i64, ptr %state, i64 9
  %p.warm = getelementptr i64, ptr %state, i64 10
  %trial = load i64, ptr %p.trial
  %without.old = load i64, ptr %p.without
  ; a trial of helpers ends with the first call that had to wait for one
  %double.old = shl i64 %without.old, 1
  %patience = add i64 %double.old, 150000
  %stuck = icmp sgt i64 %taken, %patience
  %helped = icmp eq i64 %way, 0
  %trying = icmp ne i64 %trial, 0
  %helped.trial = and i1 %helped, %trying
  %hopeless = and i1 %stuck, %helped.trial
  br i1 %hopeless, label %lost, label %begun
lost:
  store i64 %taken, ptr %p.with
  br label %judge
begun:
  %skip = load i64, ptr %p.skip
  %skipped = icmp sgt i64 %skip, 0
  %warm.until = load i64, ptr %p.warm
  %early = icmp slt i64 %time, %warm.until
  %uncounted = or i1 %skipped, %early
  br i1 %uncounted, label %warm, label %count
warm:
  %skip.next = sub i64 %skip, 1
  store i64 %skip.next, ptr %p.skip
  ret void
count:
  %calls = load i64, ptr %p.calls
  %calls.next = add i64 %calls, 1
  store i64 %calls.next, ptr %p.calls
  %mean = load i64, ptr %p.mean
  %some = call i64 @llvm.smax.i64(i64 %mean, i64 1)
  %many = sdiv i64 1000000, %some
  %most = call i64 @llvm.smax.i64(i64 %many, i64 8)
  %weight = call i64 @llvm.smin.i64(i64 %calls.next, i64 %most)
  ; a trial is too short for an interrupt to weigh what it does
  %bounded = icmp ne i64 %double.old, 0
  %clips = and i1 %bounded, %helped.trial
  %clipped = call i64 @llvm.smin.i64(i64 %taken, i64 %double.old)
  %counted.time = select i1 %clips, i64 %clipped, i64 %taken
  %off = sub i64 %counted.time, %mean
  %share = sdiv i64 %off, %weight
  %mean.next = add i64 %mean, %share
  store i64 %mean.next, ptr %p.mean
  %left = load i64, ptr %p.left
  %left.next = sub i64 %left, 1
  store i64 %left.next, ptr %p.left
  %with = load i64, ptr %p.with
  %without = load i64, ptr %p.without
  %until = load i64, ptr %p.until
  %counted = icmp sle i64 %left.next, 0
  %late = icmp sge i64 %time, %until
  %due = and i1 %counted, %late
  br i1 %due, label %decide, label %watch
watch:
  ; helpers that have become slower than working alone was are not waited for
  %margin = ashr i64 %without, 4
  %bar = add i64 %without, %margin
  %slower = icmp sgt i64 %with, %bar
  %known = icmp ne i64 %without, 0
  %settled = icmp eq i64 %trial, 0
  %c1 = and i1 %slower, %known
  %c2 = and i1 %helped, %settled
  %c3 = and i1 %c1, %c2
  br i1 %c3, label %decide, label %done
decide:
  br i1 %trying, label %judge, label %start
start:
  ; the other way is tried
  %other = sub i64 1, %way
  store i64 %other, ptr %state
  store i64 1, ptr %p.trial
  %lasting = icmp ugt i64 %taken, 200000
  %tried = select i1 %lasting, i64 4, i64 8
  store i64 %tried, ptr %p.left
  store i64 2, ptr %p.skip
  store i64 0, ptr %p.calls
  ; helpers take a while to wake up, and short calls one by one say little
  %awake = add i64 %time, 200000
  store i64 %awake, ptr %p.warm
  %enough = add i64 %time, 1000000
  store i64 %enough, ptr %p.until
  %o.place = add i64 %other, 2
  %p.other = getelementptr i64, ptr %state, i64 %o.place
  store i64 0, ptr %p.other
  ret void
judge:
  %j.with = phi i64 [%taken, %lost], [%with, %decide]
  %limit.lost = phi i64 [512000000, %lost], [32000000, %decide]
  %j.without = phi i64 [%without.old, %lost], [%without, %decide]
  %alone.better = icmp slt i64 %j.without, %j.with
  %best = zext i1 %alone.better to i64
  store i64 %best, ptr %state
  store i64 0, ptr %p.trial
  store i64 2, ptr %p.skip
  store i64 1000000, ptr %p.calls
  store i64 0, ptr %p.warm
  ; each time that helpers lose they are left alone for twice as long, up to a limit: 32 ms where
  ; they were no faster, half a second where one kept a call waiting
  %apart = load i64, ptr %p.apart
  %double = shl i64 %apart, 1
  %some.limit = call i64 @llvm.smax.i64(i64 %apart, i64 %limit.lost)
  %capped = call i64 @llvm.smin.i64(i64 %double, i64 %some.limit)
  %half = lshr i64 %apart, 1
  %small = icmp ult i64 %half, 8000000
  %floor = select i1 %small, i64 8000000, i64 %half
  %apart.next = select i1 %alone.better, i64 %capped, i64 %floor
  store i64 %apart.next, ptr %p.apart
  %left.new = select i1 %alone.better, i64 8, i64 1024
  store i64 %left.new, ptr %p.left
  %rest = select i1 %alone.better, i64 %apart, i64 50000000
  %until.new = add i64 %time, %rest
  store i64 %until.new, ptr %p.until
  ret void
done:
  ret void
}
"""
