// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/sorter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/filter.h"

struct rule {
	struct filter *filter;
	unsigned int class;
};

struct sorter {
	unsigned int n;
	struct rule rules[SORTER_CLASSES - 1]; /* in order */
	struct sorter_count counts[SORTER_CLASSES][2];
	char *texts[SORTER_CLASSES];
};

struct sorter *sorter_new(void)
{
	return calloc(1, sizeof(struct sorter));
}

void sorter_free(struct sorter *s)
{
	if (!s)
		return;
	while (s->n)
		sorter_del(s, s->rules[s->n - 1].class);
	free(s);
}

int sorter_add(struct sorter *s, unsigned int class, const char *filter,
	       struct strbuf *why)
{
	struct rule *r;

	assert(class > 0 && class < SORTER_CLASSES && !s->texts[class]);
	r = &s->rules[s->n];
	r->filter = filter_new(filter, why);
	if (!r->filter)
		return -EINVAL;
	s->texts[class] = strdup(filter);
	if (!s->texts[class]) {
		filter_free(r->filter);
		strbuf_add(why, "no memory");
		return -ENOMEM;
	}
	r->class = class;
	memset(s->counts[class], 0, sizeof(s->counts[class]));
	s->n++;
	return 0;
}

void sorter_del(struct sorter *s, unsigned int class)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->rules[i].class != class)
			continue;
		filter_free(s->rules[i].filter);
		free(s->texts[class]);
		s->texts[class] = NULL;
		s->n--;
		memmove(&s->rules[i], &s->rules[i + 1],
			(s->n - i) * sizeof(s->rules[i]));
		return;
	}
}

bool sorter_is_empty(const struct sorter *s)
{
	return s->n == 0;
}

unsigned int sorter_sort(struct sorter *s, int direction, const void *frame,
			 size_t len)
{
	const struct rule *r = s->rules, *end = r + s->n;
	struct sorter_count *c;

	while (r < end && !filter_matches(r->filter, frame, len, len))
		r++;
	c = &s->counts[r < end ? r->class : 0][direction];
	c->frames++;
	c->bytes += len;
	return r < end ? r->class : 0;
}

unsigned int sorter_nth(const struct sorter *s, unsigned int i)
{
	return i < s->n ? s->rules[i].class : 0;
}

const char *sorter_filter(const struct sorter *s, unsigned int class)
{
	return s->texts[class];
}

const struct sorter_count *sorter_count(const struct sorter *s,
					unsigned int class, int direction)
{
	return &s->counts[class][direction];
}

void sorter_reset(struct sorter *s)
{
	memset(s->counts, 0, sizeof(s->counts));
}
