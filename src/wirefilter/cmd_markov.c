// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of VDE 2's Markov mode. Their arguments are apart by commas or
 * blanks, so those of most are read here.
 */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "base/strbuf.h"
#include "wirefilter/cmd.h"

#define SEPARATORS ", \t"
#define DEBUG 1 /* flag of a session that wants to hear of steps */

static uint64_t now(const struct wirefilter *wf)
{
	return loop_now(wf->loop);
}

static int refuse(struct mgmt_req *rq, const char *what, const char *word)
{
	char why[MGMT_WHY];

	str_fmt(why, sizeof(why), "%.*s: %s%s",
		(int)strcspn(rq->cmd->syntax, " "), rq->cmd->syntax, what,
		word);
	return cmd_refuse(rq, -EINVAL, why);
}

static int cmd_numnodes(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;
	int rc = wire_set_nodes(wf->wire, (unsigned int)rq->arg[0].num,
				now(wf));

	return rc ? cmd_refuse(rq, rc, "markov-numnodes: no memory") : 0;
}

static int cmd_setnode(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;
	unsigned int node = (unsigned int)rq->arg[0].num;

	return wire_set_current(wf->wire, node, now(wf)) ? cmd_no_node(rq, node)
							 : 0;
}

/* The next word of *@text, which is cut off; empty at the end. */
static char *next_word(char **text)
{
	char *word = *text + strspn(*text, SEPARATORS);
	size_t len = strcspn(word, SEPARATORS);

	*text = word + len + (word[len] != '\0');
	word[len] = '\0';
	return word;
}

/* A node that exists; else -EINVAL, and @rq knows why. */
static int read_node(struct mgmt_req *rq, char **text)
{
	const struct wirefilter *wf = rq->mgmt->ctx;
	const char *word = next_word(text);
	int64_t node;

	if (!*word)
		return refuse(rq, "a node is missing", "");
	if (!parse_num(word, 0, markov_nodes(wf->wire->markov) - 1, &node))
		return refuse(rq, "there is no node ", word);
	return (int)node;
}

static int cmd_name(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;
	char copy[1024], *text = copy;
	int node, rc;

	if (str_copy(copy, sizeof(copy), rq->arg[0].str) < 0)
		return -E2BIG;
	if (!strpbrk(copy, SEPARATORS))
		return refuse(rq, "a name is missing behind ", copy);
	node = read_node(rq, &text);
	if (node < 0)
		return node;
	text += strspn(text, SEPARATORS);
	rc = markov_set_name(wf->wire->markov, (unsigned int)node, text);
	return rc ? refuse(rq, "the name is too long: ", text) : 0;
}

static int cmd_time(struct mgmt_req *rq, void *ctx)
{
	struct wirefilter *wf = ctx;
	const char *text = rq->arg[0].str;
	double ms;
	size_t n = parse_fraction(text, strlen(text), &ms);
	const char *unit = text + n + strspn(text + n, " \t");

	if (!n || (*unit && strcmp(unit, "ms") != 0))
		return refuse(rq, "the time is not a number: ", text);
	if (ms < (double)MARKOV_PERIOD_MIN / 1e6 ||
	    ms > (double)MARKOV_PERIOD_MAX / 1e6)
		return refuse(rq, "not 0.001 to 1000000000 ms: ", text);
	return wire_set_period(wf->wire, (uint64_t)(ms * 1e6 + 0.5), now(wf));
}

/* From a node to itself leads what the others leave, whatever is said: VDE 2
 * takes that, and does not mind it. */
static int set_edge(struct mgmt_req *rq, unsigned int from, unsigned int to,
		    double weight, const char *word)
{
	struct wirefilter *wf = rq->mgmt->ctx;
	int rc;

	if (from == to && weight <= 100)
		return 0;
	wire_advance(wf->wire, now(wf));
	rc = markov_set_edge(wf->wire->markov, from, to, weight);
	if (rc == -ERANGE)
		return refuse(rq, "more than 100 % would leave the node with ",
			      word);
	return rc ? refuse(rq, "a weight is 0 to 100 %, not ", word) : 0;
}

static int cmd_setedge(struct mgmt_req *rq, void *ctx)
{
	char copy[1024], *text = copy;
	const char *word;
	int from, to;
	double weight;
	size_t len;

	if (str_copy(copy, sizeof(copy), rq->arg[0].str) < 0)
		return -E2BIG;
	from = read_node(rq, &text);
	if (from < 0)
		return from;
	to = read_node(rq, &text);
	if (to < 0)
		return to;
	word = next_word(&text);
	if (!*word)
		return refuse(rq, "a weight is missing", "");
	len = parse_fraction(word, strlen(word), &weight);
	if (!len || (word[len] && strcmp(word + len, "%") != 0) ||
	    text[strspn(text, SEPARATORS)])
		return refuse(rq, "the weight is not a number: ", word);
	return set_edge(rq, (unsigned int)from, (unsigned int)to, weight, word);
}

static void show_edge(struct writer *w, const struct markov *m,
		      unsigned int from, unsigned int to)
{
	double weight = markov_edge(m, from, to);

	if (weight == 0)
		return;
	writer_open(w, NULL);
	writer_num(w, "from", "Edge ", from, 0);
	writer_num(w, "to", " ->", to, 0);
	writer_str(w, "from_name", "  \"", markov_name(m, from), 0);
	writer_str(w, "to_name", "\"->\"", markov_name(m, to), 0);
	cmd_real(w, "weight", "\" weight ", weight);
	writer_line(w);
	writer_close(w);
}

static int cmd_showedges(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;
	const struct markov *m = wf->wire->markov;
	unsigned int from = rq->argc ? (unsigned int)rq->arg[0].num
				     : markov_current(m);

	if (from >= markov_nodes(m))
		return cmd_no_node(rq, from);
	writer_list(rq->w, "edges");
	for (unsigned int to = 0; to < markov_nodes(m); to++)
		show_edge(rq->w, m, from, to);
	writer_close(rq->w);
	return 0;
}

static int cmd_showcurrent(struct mgmt_req *rq, void *ctx)
{
	const struct wirefilter *wf = ctx;
	const struct markov *m = wf->wire->markov;
	unsigned int node = markov_current(m);

	writer_num(rq->w, "node", "Current Markov Node ", node, 0);
	writer_str(rq->w, "name", " \"", markov_name(m, node), 0);
	writer_num(rq->w, "last", "\" (0,..,", markov_nodes(m) - 1, 0);
	writer_text(rq->w, ")\n");
	return 0;
}

static int cmd_debug(struct mgmt_req *rq, void *ctx)
{
	if (!rq->session)
		return mgmt_refuse(rq, -EINVAL, "there is nobody to tell");
	*console_flags(rq->session) = rq->argc && rq->arg[0].num ? DEBUG : 0;
	return 0;
}

/* clang-format off */
static const struct mgmt_cmd rows[] = {
	{ "markov-numnodes <nodes>", "n", "markov mode: set number of states", cmd_numnodes, false },
	{ "markov-setnode <node>", "n", "markov mode: set current state", cmd_setnode, false },
	{ "markov-name <node,name...>", "n,name", "markov mode: set state's name", cmd_name, false },
	{ "markov-time <ms>", "ms", "markov mode: transition period", cmd_time, false },
	{ "setedge <from,to,weight...>", "n1,n2,w", "markov mode: set edge weight", cmd_setedge, false },
	{ "showinfo", "n", "markov mode: show parameter values", NULL, false },
	{ "showedges [<node>]", "n", "markov mode: show edge weights", cmd_showedges, true },
	{ "showcurrent", " ", "markov mode: show current state", cmd_showcurrent, true },
	{ "markov-debug [<level>]", "n", "markov mode: set debug level", cmd_debug, false },
};
const struct mgmt_table cmd_markov = { rows, ARRAY_SIZE(rows) };
/* clang-format on */
