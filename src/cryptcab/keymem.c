// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/keymem.h"

#include <errno.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"

/* In front of what was asked for: a cache line, for its alignment. */
#define HEAD 64

static bool unlocked;

static size_t pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), all;

	if (!size_add(size, HEAD + page - 1, &all))
		return 0;
	return all / page * page;
}

void *keymem_alloc(size_t size)
{
	size_t all = pages(size);
	char *p;

	if (!all)
		return NULL;
	p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, all))
		unlocked = true;
	(void)madvise(p, all, MADV_DONTDUMP);
	(void)madvise(p, all, MADV_WIPEONFORK);
	*(size_t *)(void *)p = all;
	return p + HEAD;
}

void keymem_free(void *mem)
{
	char *p;
	size_t all;

	if (!mem)
		return;
	p = (char *)mem - HEAD;
	all = *(size_t *)(void *)p;
	sodium_memzero(p, all);
	(void)munmap(p, all);
}

bool keymem_is_locked(void)
{
	return !unlocked;
}
