// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/stream.h"

#include <string.h>

void stream_init(struct stream *s, uint8_t *buf, size_t size, size_t max)
{
	assert(size >= STREAM_HDR + max);
	*s = (struct stream){ .size = size, .max = max };
	s->buf = buf;
}

static void move_down(struct stream *s)
{
	memmove(s->buf, s->buf + s->start, s->end - s->start);
	s->end -= s->start;
	s->start = 0;
}

/* Keeps the copying rare: only when less than half of the room is left. */
uint8_t *stream_space(struct stream *s, size_t *room)
{
	if (s->start == s->end)
		s->start = s->end = 0;
	else if (s->start && s->size - s->end < s->size / 2)
		move_down(s);
	*room = s->size - s->end;
	return s->buf + s->end;
}

void stream_fill(struct stream *s, size_t n)
{
	s->end += n;
}

const uint8_t *stream_next(struct stream *s, size_t *len)
{
	for (;;) {
		size_t have = s->end - s->start, n = size_min(have, s->skip);
		const uint8_t *p;

		s->start += n;
		s->skip -= n;
		have -= n;
		if (s->skip || have < STREAM_HDR)
			return NULL;
		p = s->buf + s->start;
		n = (size_t)p[0] << 8 | p[1];
		if (n > s->max) {
			s->too_long++;
			s->too_long_len = n;
			s->skip = STREAM_HDR + n;
			continue;
		}
		if (have < STREAM_HDR + n)
			return NULL;
		s->start += STREAM_HDR + n;
		if (!n) {
			s->empty++;
			continue;
		}
		*len = n;
		return p + STREAM_HDR;
	}
}

bool stream_add(struct stream *s, const uint8_t *frame, size_t len)
{
	uint8_t *p;

	if (!len || len > s->max)
		return false;
	if (s->size - s->end < STREAM_HDR + len)
		move_down(s);
	if (s->size - s->end < STREAM_HDR + len)
		return false;
	p = s->buf + s->end;
	p[0] = (uint8_t)(len >> 8);
	p[1] = (uint8_t)(len & 0xff);
	memcpy(p + STREAM_HDR, frame, len);
	s->end += STREAM_HDR + len;
	return true;
}

const uint8_t *stream_pending(const struct stream *s, size_t *len)
{
	*len = s->end - s->start;
	return s->buf + s->start;
}

void stream_sent(struct stream *s, size_t n)
{
	s->start += n;
	if (s->start == s->end)
		s->start = s->end = 0;
}
