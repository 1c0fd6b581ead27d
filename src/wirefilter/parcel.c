// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/parcel.h"

#include <stdlib.h>
#include <string.h>

#define LEAST 128
#define KEEP_BYTES (UINT32_C(512) << 10) /* of each size */

static size_t bytes_of(unsigned int size_class)
{
	return (size_t)LEAST << size_class;
}

static_assert((LEAST << (PARCEL_SIZES - 1)) >=
		      sizeof(struct impair_frame) + 65535,
	      "the longest frame fits");

void parcel_pool_init(struct parcel_pool *p, size_t max)
{
	*p = (struct parcel_pool){ .max = max };
}

static struct impair_frame *take_free(struct parcel_pool *p, unsigned int c)
{
	struct delayq_node *n = p->sizes[c].free;

	if (!n)
		return NULL;
	p->sizes[c].free = n->next;
	p->sizes[c].n_free--;
	return container_of(n, struct impair_frame, wait);
}

void parcel_pool_fini(struct parcel_pool *p)
{
	for (unsigned int c = 0; c < PARCEL_SIZES; c++) {
		struct impair_frame *f;

		while ((f = take_free(p, c)))
			free(f);
	}
}

struct impair_frame *parcel_new(struct parcel_pool *p, const void *data,
				size_t len)
{
	size_t need = sizeof(struct impair_frame) + len;
	struct impair_frame *f;
	unsigned int c = 0;

	while (bytes_of(c) < need)
		c++;
	if (p->used + bytes_of(c) > p->max)
		return NULL;
	f = take_free(p, c);
	if (!f)
		f = malloc(bytes_of(c));
	if (!f)
		return NULL;
	p->used += bytes_of(c);
	memset(f, 0, sizeof(*f));
	memcpy(f->data, data, len);
	f->len = (uint32_t)len;
	f->size_class = (uint8_t)c;
	return f;
}

void parcel_free(struct parcel_pool *p, struct impair_frame *f)
{
	unsigned int c = f->size_class;

	p->used -= bytes_of(c);
	if (p->sizes[c].n_free >= KEEP_BYTES / bytes_of(c)) {
		free(f);
		return;
	}
	f->wait.next = p->sizes[c].free;
	p->sizes[c].free = &f->wait;
	p->sizes[c].n_free++;
}
