// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capspec.h"

#include <string.h>

#include "base/num.h"
#include "base/quote.h"
#include "common/pcapng.h"
#include "switch/bridge.h"

static const char *const directions[] = {
	[CAPTURE_BOTH] = "both",
	[CAPTURE_IN] = "in",
	[CAPTURE_OUT] = "out",
	[CAPTURE_DROP] = "drop",
};
static_assert(ARRAY_SIZE(directions) == CAPTURE_N_DIRECTIONS,
	      "a direction has no name");

const char *capture_direction_name(enum capture_direction d)
{
	return directions[d];
}

enum keyword {
	KEY_PORT,
	KEY_VLAN,
	KEY_DIRECTION,
	KEY_FILTER,
	KEY_SNAPLEN,
	KEY_COUNT,
	KEY_N
};

/* Those with a range take a number. */
static const struct {
	const char *name;
	int64_t min, max;
} keywords[] = {
	[KEY_PORT] = { "port", 0, BRIDGE_PORTS_MAX },
	[KEY_VLAN] = { "vlan", 0, VLAN_MAX },
	[KEY_DIRECTION] = { "direction", 0, 0 },
	[KEY_FILTER] = { "filter", 0, 0 },
	[KEY_SNAPLEN] = { "snaplen", 1, PCAPNG_SNAPLEN_MAX },
	[KEY_COUNT] = { "count", 1, INT64_MAX },
};
static_assert(ARRAY_SIZE(keywords) == KEY_N, "a keyword has no name");

static enum keyword find_keyword(const char *word)
{
	enum keyword k = 0;

	while (k < KEY_N && strcmp(keywords[k].name, word))
		k++;
	return k;
}

static bool set_direction(struct capspec *cs, const char *value)
{
	for (enum capture_direction d = 0; d < CAPTURE_N_DIRECTIONS; d++) {
		if (!strcmp(directions[d], value)) {
			cs->direction = d;
			return true;
		}
	}
	return false;
}

static bool set(struct capspec *cs, enum keyword k, const char *value)
{
	int64_t num = 0;

	if (keywords[k].max &&
	    !parse_num(value, keywords[k].min, keywords[k].max, &num))
		return false;
	switch (k) {
	case KEY_PORT:
		cs->port = (int)num;
		return true;
	case KEY_VLAN:
		cs->vlan = (int)num;
		return true;
	case KEY_DIRECTION:
		return set_direction(cs, value);
	case KEY_FILTER:
		return str_copy(cs->filter, sizeof(cs->filter), value) > 0;
	case KEY_SNAPLEN:
		cs->snaplen = (uint32_t)num;
		return true;
	case KEY_COUNT:
		cs->count = (uint64_t)num;
		return true;
	case KEY_N:
		break;
	}
	return false;
}

/* One keyword with its value, the first of which is @word. */
static bool take_keyword(struct capspec *cs, char *word, char **rest,
			 unsigned int *seen, struct strbuf *why)
{
	enum keyword k = find_keyword(word);
	char *value;
	int rc;

	if (k == KEY_N) {
		strbuf_fmt(why, "'%s' is none of", word);
		for (k = 0; k < KEY_N; k++)
			strbuf_fmt(why, " %s", keywords[k].name);
		return false;
	}
	if (*seen >> k & 1) {
		strbuf_fmt(why, "%s is given twice", word);
		return false;
	}
	*seen |= 1U << k;
	rc = quote_next(rest, &value);
	if (rc < 0)
		strbuf_add(why, "a quote is not closed");
	else if (!rc)
		strbuf_fmt(why, "%s needs a value", word);
	else if (!set(cs, k, value))
		strbuf_fmt(why, "'%s' is no value for %s", value, word);
	else
		return true;
	return false;
}

bool capspec_parse(struct capspec *cs, const char *text, struct strbuf *why)
{
	char line[CAPSPEC_TEXT], *rest = line, *word;
	unsigned int seen = 0;
	int rc;

	memset(cs, 0, sizeof(*cs));
	cs->port = cs->vlan = -1;
	cs->snaplen = PCAPNG_SNAPLEN_MAX;
	if (str_copy(line, sizeof(line), text) < 0) {
		strbuf_add(why, "the line is too long");
		return false;
	}
	rc = quote_next(&rest, &word);
	if (rc > 0 && str_copy(cs->target, sizeof(cs->target), word) <= 0)
		rc = 0;
	if (!rc)
		strbuf_add(why, "no target is given");
	while (rc > 0) {
		rc = quote_next(&rest, &word);
		if (!rc)
			return true;
		if (rc > 0 && !take_keyword(cs, word, &rest, &seen, why))
			return false;
	}
	if (rc < 0)
		strbuf_add(why, "a quote is not closed");
	return false;
}
