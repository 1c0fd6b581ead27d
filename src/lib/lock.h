/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lock - mutual exclusion without a threads library
 *
 * A word in memory that may be shared between processes: 0 free, 1 held, 2
 * held and somebody sleeps for it. Free to held and back cost an atomic
 * operation each. Who is killed while he holds it leaves it held.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline void lock_acquire(_Atomic uint32_t *l)
{
	uint32_t was = 0;

	if (atomic_compare_exchange_strong_explicit(
		    l, &was, 1, memory_order_acquire, memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(l, 2, memory_order_acquire) != 0)
		syscall(SYS_futex, l, FUTEX_WAIT, 2, NULL, NULL, 0);
}

static inline void lock_release(_Atomic uint32_t *l)
{
	if (atomic_exchange_explicit(l, 0, memory_order_release) == 2)
		syscall(SYS_futex, l, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* And a full memory barrier, which the exchange is already on x86. */
static inline void lock_release_fenced(_Atomic uint32_t *l)
{
	lock_release(l);
#if defined(__x86_64__) || defined(__i386__)
	atomic_signal_fence(memory_order_seq_cst);
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

#endif
