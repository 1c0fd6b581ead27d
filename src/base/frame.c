// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/frame.h"

#include <stdlib.h>

#define SLAB_FRAMES 64

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
	struct frame *free;
	struct slab *slabs;
};

struct frame_pool *frame_pool_new(size_t room, size_t max)
{
	struct frame_pool *p;

	if (!size_add(room, 63, &room))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->room = room & ~(size_t)63;
	p->max = max;
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
		free(s->bytes);
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

static bool grow(struct frame_pool *p)
{
	struct slab *s;
	size_t bytes;

	if (p->made >= p->max || !size_mul(p->room, SLAB_FRAMES, &bytes))
		return false;
	s = calloc(1, sizeof(*s));
	if (!s)
		return false;
	s->bytes = malloc(bytes);
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
	return f;
}

void frame_release(struct frame *f)
{
	struct frame_pool *p = f->pool;

	p->used--;
	f->next_free = p->free;
	p->free = f;
}
