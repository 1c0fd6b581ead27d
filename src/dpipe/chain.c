// SPDX-License-Identifier: GPL-2.0-or-later
#include "dpipe/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The kind of command that a separator ends or begins. */
enum role {
	STATION,
	RIGHT,
	LEFT
};

struct sep {
	const char *text;
	enum role ends, begins;
};

static const struct sep seps[] = {
	{ "=", STATION, STATION }, { "=}", STATION, RIGHT },
	{ "={", STATION, LEFT },   { "}=", RIGHT, STATION },
	{ "}=}", RIGHT, RIGHT },   { "}={", RIGHT, LEFT },
	{ "{=", LEFT, STATION },   { "{=}", LEFT, RIGHT },
	{ "{={", LEFT, LEFT },
};

struct planner {
	struct chain *chain;
	enum role open; /* what the command being read is */
	size_t station; /* index of the last station */
	int to_right, to_left; /* loose ends of the link being built */
};

static int fail(struct planner *p, const char *error, const char *word)
{
	p->chain->error = error;
	p->chain->word = word;
	return -EINVAL;
}

/* A word that begins with '=' is always a separator, or a mistake: VDE 2
 * took every such word for "=". One that begins with a bracket and '=' is
 * one only after an opening bracket; elsewhere it is somebody's argument. */
static const struct sep *separator(const char *word, enum role open, bool *bad)
{
	bool bracket = (word[0] == '}' || word[0] == '{') && word[1] == '=';

	*bad = false;
	if (word[0] != '=' && (!bracket || open == STATION))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(seps); i++)
		if (!strcmp(word, seps[i].text))
			return &seps[i];
	*bad = true;
	return NULL;
}

static int new_pipe(struct planner *p)
{
	return p->chain->n_pipes++;
}

/* The loose ends of a new station are its right side. */
static void open_link(struct planner *p, size_t station)
{
	p->station = station;
	p->to_right = new_pipe(p);
	p->to_left = new_pipe(p);
}

/* The station on the left of a link: the outer one has only one side. */
static void face_right(struct planner *p)
{
	struct chain_cmd *c = &p->chain->cmds[p->station];

	if (p->station == 0) {
		c->in = p->to_left;
		c->out = p->to_right;
	} else {
		c->alt_in = p->to_left;
		c->alt_out = p->to_right;
	}
}

static void place(struct planner *p, struct chain_cmd *c)
{
	size_t i = (size_t)(c - p->chain->cmds);

	switch (p->open) {
	case RIGHT:
		c->in = p->to_right;
		c->out = p->to_right = new_pipe(p);
		break;
	case LEFT:
		c->out = p->to_left;
		c->in = p->to_left = new_pipe(p);
		break;
	case STATION:
		if (i > 0) {
			c->in = p->to_right;
			c->out = p->to_left;
		}
		p->station = i;
		break;
	}
}

/* One command from @argv on; its end is the separator @sep or the line's. */
static void add_command(struct planner *p, char **argv)
{
	struct chain_cmd *c = &p->chain->cmds[p->chain->n_cmds++];

	*c = (struct chain_cmd){ argv, CHAIN_NONE, CHAIN_NONE, CHAIN_NONE,
				 CHAIN_NONE };
	place(p, c);
}

/* After a station its link opens; face_right() needs the numbers at once,
 * since a filter may move the loose ends before the link is closed. */
static void after_command(struct planner *p, const struct sep *sep)
{
	if (sep->ends == STATION) {
		open_link(p, p->station);
		face_right(p);
	}
	p->open = sep->begins;
}

static int plan(struct planner *p, char **words, size_t n)
{
	size_t first = 0;

	for (size_t i = 0; i < n; i++) {
		bool bad;
		char *word = words[i];
		const struct sep *sep = separator(word, p->open, &bad);

		if (bad)
			return fail(p, "unknown separator", word);
		if (!sep)
			continue;
		if (sep->ends != p->open)
			return fail(p, "this bracket does not match", word);
		if (i == first)
			return fail(p, "a command is missing before", word);
		words[i] = NULL;
		add_command(p, &words[first]);
		after_command(p, sep);
		first = i + 1;
	}
	if (p->open != STATION)
		return fail(p, "a bracket is not closed", NULL);
	if (first == n)
		return fail(p, "a command is missing", NULL);
	add_command(p, &words[first]);
	if (p->chain->n_cmds < 2)
		return fail(p, "one command alone makes no pipe", NULL);
	return 0;
}

int chain_plan(struct chain *c, char **words, size_t n)
{
	struct planner p = { .chain = c, .open = STATION };
	int rc;

	*c = (struct chain){ 0 };
	c->cmds = calloc(n / 2 + 1, sizeof(*c->cmds));
	if (!c->cmds)
		return -ENOMEM;
	rc = plan(&p, words, n);
	if (rc)
		chain_fini(c);
	return rc;
}

void chain_fini(struct chain *c)
{
	free(c->cmds);
	c->cmds = NULL;
	c->n_cmds = 0;
}
