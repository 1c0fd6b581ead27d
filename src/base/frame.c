// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The room of a slab is mapped, not allocated: its pages cost nothing before
 * they are written to, and go back to the kernel one frame at a time.
 */
#include "base/frame.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLAB_FRAMES 64
#define CACHE_LINE 64

struct slab {
	struct slab *next;
	uint8_t *bytes;
	struct frame frames[SLAB_FRAMES];
};

struct frame_pool {
	size_t room;
	size_t max;
	size_t made; /* frames in slabs */
	size_t used;
	size_t touched;
	size_t page;
	struct frame *free;
	struct slab *slabs;
};

/* An odd number of cache lines: the beginnings of frames, which is what is
 * looked at most, spread over all sets of a cache. */
struct frame_pool *frame_pool_new(size_t room, size_t max)
{
	struct frame_pool *p;

	if (!size_add(room, 2 * CACHE_LINE - 1, &room) || room > UINT32_MAX)
		return NULL;
	room = room / CACHE_LINE - 1;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->room = (room | 1) * CACHE_LINE;
	p->max = max;
	p->page = (size_t)sysconf(_SC_PAGESIZE);
	return p;
}

void frame_pool_free(struct frame_pool *p)
{
	if (!p)
		return;
	assert(p->used == 0);
	while (p->slabs) {
		struct slab *s = p->slabs;

		p->slabs = s->next;
		munmap(s->bytes, p->room * SLAB_FRAMES);
		free(s);
	}
	free(p);
}

size_t frame_pool_room(const struct frame_pool *p)
{
	return p->room;
}

size_t frame_pool_used(const struct frame_pool *p)
{
	return p->used;
}

size_t frame_pool_left(const struct frame_pool *p)
{
	return p->max - p->used;
}

size_t frame_pool_touched(const struct frame_pool *p)
{
	return p->touched;
}

/* NULL without memory. Huge pages would bring in what nobody wrote to. */
static uint8_t *map_room(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

static bool grow(struct frame_pool *p)
{
	struct slab *s;
	size_t bytes;

	if (p->made >= p->max || !size_mul(p->room, SLAB_FRAMES, &bytes))
		return false;
	s = calloc(1, sizeof(*s));
	if (!s)
		return false;
	s->bytes = map_room(bytes);
	if (!s->bytes) {
		free(s);
		return false;
	}
	s->next = p->slabs;
	p->slabs = s;
	for (size_t i = SLAB_FRAMES; i-- > 0;) {
		struct frame *f = &s->frames[i];

		f->pool = p;
		f->room = s->bytes + i * p->room;
		f->next_free = p->free;
		p->free = f;
	}
	p->made += SLAB_FRAMES;
	return true;
}

struct frame *frame_new(struct frame_pool *p)
{
	struct frame *f;

	if (p->used >= p->max || (!p->free && !grow(p)))
		return NULL;
	f = p->free;
	p->free = f->next_free;
	p->used++;
	f->refs = 1;
	f->data = f->room;
	f->len = 0;
	frame_set_tci(f, 0);
	f->offload = (struct frame_offload){ 0 };
	f->own = false;
	return f;
}

/* Gives the pages back that are this frame's alone: what is left are parts of
 * its first and last one. */
static void empty(struct frame *f)
{
	size_t page = f->pool->page, room = f->pool->room;
	size_t from = (0 - (uintptr_t)f->room) % page;
	size_t to = room - ((uintptr_t)f->room + room) % page;

	if (from >= to || madvise(f->room + from, to - from, MADV_DONTNEED))
		return;
	f->pool->touched -= f->touched - from;
	f->touched = (uint32_t)from;
}

void frame_release(struct frame *f)
{
	struct frame_pool *p = f->pool;
	uint32_t end = (uint32_t)(f->data - f->room) + f->len;

	if (end > f->touched) {
		p->touched += end - f->touched;
		f->touched = end;
	}
	if (p->touched > FRAME_POOL_KEEP && f->touched > p->page)
		empty(f);
	p->used--;
	f->next_free = p->free;
	p->free = f;
}
