// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/params.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wirefilter/items.h"

#define BYTES_MAX 0x1p50
#define FORM_MAX 65536 /* a list of losses is the longest */
#define SHOWN_MAX 48 /* bytes of that in a message */

/* clang-format off */
const struct param_row param_rows[PARAM_N] = {
	[PARAM_MTU] = { "mtu", NULL, "bytes", "set channel MTU (bytes)",
		{ "mtu", 0, 65535, false, false, NULL } },
	[PARAM_LOSS] = { "loss", NULL, "%", "set loss percentage",
		{ "loss", 0, 100, false, false, "%" } },
	[PARAM_LOSTBURST] = { "lostburst", NULL, "frames",
		"mean length of lost packet bursts",
		{ "lostburst", 0, 1e6, false, false, NULL } },
	[PARAM_DUP] = { "dup", NULL, "%", "set dup packet percentage",
		{ "dup", 0, 100, true, false, "%" } },
	[PARAM_CHANBUFSIZE] = { "chanbufsize", "capacity", "bytes",
		"set channel buffer size (bytes)",
		{ "chanbufsize", 0, BYTES_MAX, false, true, NULL } },
	[PARAM_LIMIT] = { "limit", NULL, "frames",
		"set channel buffer size (frames)",
		{ "limit", 0, 1e9, false, false, NULL } },
	[PARAM_SPEED] = { "speed", NULL, "bytes/s",
		"set interface speed bytes/sec",
		{ "speed", 1, 1e12, false, true, NULL } },
	[PARAM_BANDWIDTH] = { "bandwidth", "band", "bytes/s",
		"set channel bandwidth bytes/sec",
		{ "bandwidth", 1, 1e12, false, true, NULL } },
	[PARAM_BURST] = { "burst", NULL, "bytes",
		"set size of the bandwidth's token bucket",
		{ "burst", 0, UINT32_MAX, false, true, NULL } },
	[PARAM_DELAY] = { "delay", NULL, "ms", "set delay ms",
		{ "delay", 0, 1e9, false, false, "ms" } },
	[PARAM_REORDER] = { "reorder", NULL, "%",
		"set percentage of frames without delay",
		{ "reorder", 0, 100, false, false, "%" } },
	[PARAM_NOISE] = { "noise", NULL, "bits/MB",
		"set noise factor bits/Mbyte",
		{ "noise", 0, 0x1p23, false, false, NULL } },
	[PARAM_CORRUPT] = { "corrupt", NULL, "%",
		"set percentage of frames with a flipped bit",
		{ "corrupt", 0, 100, false, false, "%" } },
	[PARAM_BER] = { "ber", NULL, "1e-6",
		"set flipped bits per million",
		{ "ber", 0, 1e6, false, false, NULL } },
	[PARAM_GILBERT] = { .name = "gilbert",
		.help = "set Gilbert-Elliott loss P,R,1-H,1-K" },
	[PARAM_LOSSPERIOD] = { .name = "lossperiod",
		.help = "lose every Nth frame: N,LENGTH,FIRST" },
	[PARAM_LOSSLIST] = { .name = "losslist",
		.help = "lose frames by number: 3,7-9" },
	[PARAM_QDISC] = { .name = "qdisc",
		.help = "set queue discipline" },
};
/* clang-format on */

enum param param_find(const char *name)
{
	for (enum param p = 0; p < PARAM_N; p++) {
		const struct param_row *r = &param_rows[p];

		if (!strcmp(name, r->name) ||
		    (r->alias && !strcmp(name, r->alias)))
			return p;
	}
	return PARAM_N;
}

/* ---- lists that several sets use ---- */

static struct loss_shared *share(struct loss_shared *s)
{
	if (s)
		s->refs++;
	return s;
}

static void unshare(struct loss_shared *s)
{
	if (!s || --s->refs)
		return;
	loss_list_free(s->list);
	free(s);
}

static void use_list(struct params *p, struct loss_shared *s)
{
	share(s);
	unshare(p->list);
	p->list = s;
	p->loss.list = s ? s->list : NULL;
}

/* ---- sets ---- */

void params_init(struct params *p)
{
	*p = (struct params){ .has = 0 };
	aqm_defaults(&p->aqm);
	for (int i = 0; i < PARAM_N_VALUES; i++)
		(void)dist_set(&p->dist[i], &p->value[i], NULL);
}

void params_fini(struct params *p)
{
	use_list(p, NULL);
}

void params_copy(struct params *to, const struct params *from)
{
	struct loss_shared *list = share(from->list);

	unshare(to->list);
	*to = *from;
	to->list = list;
}

static void inherit(struct params *own, const struct params *wire, int i)
{
	switch (i) {
	case PARAM_GILBERT:
		own->loss.gilbert = wire->loss.gilbert;
		break;
	case PARAM_LOSSPERIOD:
		own->loss.period = wire->loss.period;
		break;
	case PARAM_LOSSLIST:
		use_list(own, wire->list);
		break;
	case PARAM_QDISC:
		own->aqm = wire->aqm;
		break;
	default:
		own->value[i] = wire->value[i];
		own->dist[i] = wire->dist[i];
	}
}

void params_inherit(struct params *own, const struct params *wire)
{
	for (int i = 0; i < PARAM_N; i++)
		if (!(own->has & UINT32_C(1) << i))
			inherit(own, wire, i);
}

bool params_clear(const struct params *p)
{
	for (int i = 0; i < PARAM_N_VALUES; i++)
		if (p->value[i].num != 0 || p->value[i].plus != 0)
			return false;
	return p->loss.gilbert.p == 0 && p->loss.gilbert.k1 == 0 &&
	       !p->loss.period.n && !p->loss.list && p->aqm.kind == AQM_TAIL;
}

/* ---- reading ---- */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* The node that stands behind @form, at *@end, which becomes that of the form
 * alone. */
static bool take_node(const char *form, const char **end, unsigned int *node,
		      struct strbuf *why)
{
	const char *p = *end;
	unsigned int n = 0, unit = 1;

	while (p > form && strchr(" \t", p[-1]))
		p--;
	*end = p;
	if (p == form || p[-1] != ']')
		return true;
	for (p--; p > form && p[-1] >= '0' && p[-1] <= '9'; p--) {
		n += unit <= VALUE_NODE_MAX
			     ? unit * (unsigned int)(p[-1] - '0')
			     : (p[-1] != '0') * UINT32_C(1000000);
		unit = unit <= VALUE_NODE_MAX ? unit * 10 : unit;
	}
	if (p == form || p[-1] != '[' || *p == ']') {
		strbuf_add(why, "a node is not a number");
		return false;
	}
	if (n > VALUE_NODE_MAX) {
		strbuf_add(why, "a node has too large a number");
		return false;
	}
	for (p--; p > form && strchr(" \t", p[-1]);)
		p--;
	*node = n;
	*end = p;
	return true;
}

bool params_split(const char *text, const char *name,
		  enum value_direction *which, unsigned int *node,
		  const char **form, size_t *form_len, struct strbuf *why)
{
	enum value_direction d = VALUE_BOTH;
	unsigned int n = 0;
	char room[80];
	struct strbuf wrong;
	const char *s = skip_blanks(text), *end = s + strlen(s);

	strbuf_init(&wrong, room, sizeof(room));
	if (!strncmp(s, "LR", 2) || !strncmp(s, "RL", 2)) {
		d = *s == 'L' ? VALUE_LR : VALUE_RL;
		s = skip_blanks(s + 2);
	}
	if (!take_node(s, &end, &n, &wrong)) {
		strbuf_fmt(why, "%s '%s': %s", name, text, room);
		return false;
	}
	*which = d;
	*node = n;
	*form = s;
	*form_len = (size_t)(end - s);
	return true;
}

static bool read_codel(struct aqm_config *c, const char *args,
		       struct strbuf *why)
{
	double ms[2];

	if (!*args)
		return true;
	if (items_fractions(args, ms, 2, why) != 2) {
		if (!why->len)
			strbuf_fmt(why, "'%s': codel takes TARGET,INTERVAL",
				   args);
		return false;
	}
	for (int i = 0; i < 2; i++) {
		if (ms[i] > (double)AQM_TIME_MAX / 1e6) {
			strbuf_fmt(why, "%.15g ms is too long", ms[i]);
			return false;
		}
	}
	c->target = (uint64_t)llround(ms[0] * 1e6);
	c->interval = (uint64_t)llround(ms[1] * 1e6);
	return true;
}

static bool read_red(struct aqm_config *c, const char *args, struct strbuf *why)
{
	double v[4] = { 0 };
	int n = items_fractions(args, v, 4, why);

	if (!n)
		return false;
	if (n < 3) {
		strbuf_fmt(why, "'%s': red takes MIN,MAX,PROB[,LIMIT]", args);
		return false;
	}
	for (int i = 0; i < n; i++) {
		if (v[i] > (i == 2 ? 100 : BYTES_MAX)) {
			strbuf_fmt(why, "%.15g is too large", v[i]);
			return false;
		}
	}
	c->min = (uint64_t)v[0];
	c->max = (uint64_t)v[1];
	c->prob = v[2] / 100;
	c->limit_bytes = (uint64_t)v[3];
	return true;
}

static bool read_qdisc(struct aqm_config *c, const char *form,
		       struct strbuf *why)
{
	size_t len = strcspn(form, " \t");
	const char *args = skip_blanks(form + len);
	enum aqm_kind k = AQM_TAIL;

	while (k < AQM_N_KINDS && (strlen(aqm_kind_name(k)) != len ||
				   memcmp(aqm_kind_name(k), form, len) != 0))
		k++;
	if (k == AQM_N_KINDS) {
		strbuf_fmt(why, "'%s' is not tail, red, red-average or codel",
			   form);
		return false;
	}
	aqm_defaults(c);
	c->kind = k;
	if (k == AQM_CODEL)
		return read_codel(c, args, why);
	if (k != AQM_TAIL)
		return read_red(c, args, why);
	if (*args)
		strbuf_fmt(why, "'%s': tail takes no numbers", args);
	return !*args;
}

bool params_qdisc_parse(struct aqm_config *out, const char *text, size_t len,
			struct strbuf *why)
{
	struct aqm_config c;
	char form[128];

	if (len >= sizeof(form)) {
		strbuf_add(why, "it is too long");
		return false;
	}
	memcpy(form, text, len);
	form[len] = '\0';
	if (!read_qdisc(&c, form, why) || !aqm_check(&c, why))
		return false;
	*out = c;
	return true;
}

static bool read_list(struct loss_shared **out, const char *text, size_t len,
		      struct strbuf *why)
{
	struct loss_shared *s;

	*out = NULL;
	if (len == 1 && *text == '0')
		return true;
	s = malloc(sizeof(*s));
	if (!s) {
		strbuf_add(why, strerror(ENOMEM));
		return false;
	}
	s->refs = 1;
	s->list = loss_list_parse(text, len, why);
	if (!s->list) {
		free(s);
		return false;
	}
	*out = s;
	return true;
}

/* The parsers of short forms take a string. */
static bool read_form(struct param_setting *st, const char *form, size_t len,
		      struct strbuf *why)
{
	char text[256];

	if (st->param == PARAM_QDISC)
		return params_qdisc_parse(&st->aqm, form, len, why);
	if (st->param == PARAM_LOSSLIST)
		return read_list(&st->list, form, len, why);
	if (len >= sizeof(text)) {
		strbuf_add(why, "it is too long");
		return false;
	}
	memcpy(text, form, len);
	text[len] = '\0';
	if (st->param == PARAM_GILBERT)
		return loss_gilbert_parse(&st->gilbert, text, why);
	return loss_period_parse(&st->period, text, why);
}

static bool parse_form(struct param_setting *st, const char *text,
		       struct strbuf *why)
{
	const char *form, *name = param_rows[st->param].name;
	struct strbuf wrong;
	char room[256];
	size_t len;

	if (!params_split(text, name, &st->direction, &st->node, &form, &len,
			  why))
		return false;
	strbuf_init(&wrong, room, sizeof(room));
	if (len <= FORM_MAX * 16 && read_form(st, form, len, &wrong))
		return true;
	/* The other forms are in their reasons. */
	if (st->param == PARAM_LOSSLIST)
		strbuf_fmt(why, "%s '%.*s%s': %s", name,
			   (int)size_min(len, SHOWN_MAX), form,
			   len > SHOWN_MAX ? "..." : "", room);
	else
		strbuf_fmt(why, "%s: %s", name, room);
	return false;
}

static bool parse_value(struct param_setting *st, const char *text,
			const struct param_tables *tables, struct strbuf *why)
{
	const struct dist_table *t = NULL;
	struct value_setting vs;

	if (!value_parse(&vs, text, &param_rows[st->param].rule, why))
		return false;
	st->direction = vs.direction;
	st->node = vs.node;
	st->value = vs.value;
	if (vs.value.shape == VALUE_TABLE && tables)
		t = tables->find(tables->ctx, vs.value.table);
	if (!dist_set(&st->dist, &st->value, t))
		return true;
	strbuf_fmt(why, "%s '%s': there is no distribution '%s'",
		   param_rows[st->param].name, text, vs.value.table);
	return false;
}

bool param_parse(struct param_setting *out, enum param param, const char *text,
		 const struct param_tables *tables, struct strbuf *why)
{
	struct param_setting st = { .param = param };

	if (!(param < PARAM_N_VALUES ? parse_value(&st, text, tables, why)
				     : parse_form(&st, text, why)))
		return false;
	*out = st;
	return true;
}

void param_setting_fini(struct param_setting *st)
{
	unshare(st->list);
	st->list = NULL;
}

void params_set(struct params *p, const struct param_setting *st)
{
	p->has |= UINT32_C(1) << st->param;
	switch ((int)st->param) {
	case PARAM_GILBERT:
		p->loss.gilbert = st->gilbert;
		break;
	case PARAM_LOSSPERIOD:
		p->loss.period = st->period;
		break;
	case PARAM_LOSSLIST:
		use_list(p, st->list);
		break;
	case PARAM_QDISC:
		p->aqm = st->aqm;
		break;
	default:
		p->value[st->param] = st->value;
		p->dist[st->param] = st->dist;
	}
}

/* ---- showing ---- */

static void print_qdisc(struct strbuf *b, const struct aqm_config *c)
{
	strbuf_add(b, aqm_kind_name(c->kind));
	if (c->kind == AQM_CODEL)
		strbuf_fmt(b, " %.15g,%.15g", (double)c->target / 1e6,
			   (double)c->interval / 1e6);
	else if (c->kind != AQM_TAIL)
		strbuf_fmt(b, " %llu,%llu,%.15g,%llu",
			   (unsigned long long)c->min,
			   (unsigned long long)c->max, c->prob * 100,
			   (unsigned long long)c->limit_bytes);
}

void params_print(struct strbuf *b, const struct params *p, enum param param)
{
	const struct loss_gilbert *g = &p->loss.gilbert;
	const struct loss_period *t = &p->loss.period;

	switch ((int)param) {
	case PARAM_GILBERT:
		strbuf_fmt(b, "%.15g,%.15g,%.15g,%.15g", g->p * 100, g->r * 100,
			   g->h1 * 100, g->k1 * 100);
		break;
	case PARAM_LOSSPERIOD:
		strbuf_fmt(b, "%llu", (unsigned long long)t->n);
		if (t->n)
			strbuf_fmt(b, ",%llu,%llu", (unsigned long long)t->l,
				   (unsigned long long)t->f);
		break;
	case PARAM_LOSSLIST:
		if (p->loss.list)
			loss_list_print(b, p->loss.list);
		else
			strbuf_add(b, "0");
		break;
	case PARAM_QDISC:
		print_qdisc(b, &p->aqm);
		break;
	default:
		value_print_exact(b, &p->value[param]);
	}
}
