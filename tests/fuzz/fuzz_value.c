/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parameter of the wire. A refusal says why and changes nothing; what is
 * taken is in range, and the same again from its exact text. The first byte
 * chooses the parameter.
 */
#include <math.h>
#include <string.h>

#include "input.h"
#include "wirefilter/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct value_rule rules[] = {
	{ "loss", 0, 100, false, false, "%" },
	{ "dup", 0, 100, true, false, "%" },
	{ "delay", 0, 1e9, false, false, "ms" },
	{ "speed", 1, 1e12, false, true, NULL },
};

static void check_taken(const struct value_setting *st,
			const struct value_rule *rule)
{
	const struct value *v = &st->value;

	must(isfinite(v->num) && v->num >= 0 && v->num <= rule->max);
	must(v->num == 0 || v->num >= rule->least);
	must(!rule->below || v->num < rule->max);
	must(isfinite(v->plus) && v->plus >= 0 && v->plus <= rule->max);
	must(v->corr >= 0 && v->corr <= 100);
	must(v->shape < VALUE_N_SHAPES);
	must((v->shape == VALUE_TABLE) == (v->table[0] != '\0'));
	must(memchr(v->table, '\0', sizeof(v->table)));
	must(st->node <= VALUE_NODE_MAX && st->direction <= VALUE_RL);
}

static void check_again(const struct value_setting *st,
			const struct value_rule *rule)
{
	static const char *const directions[] = { "", "LR", "RL" };
	char text[256], reason[512];
	struct value_setting again;
	struct strbuf b, why;

	strbuf_init(&b, text, sizeof(text));
	strbuf_init(&why, reason, sizeof(reason));
	strbuf_add(&b, directions[st->direction]);
	value_print_exact(&b, &st->value);
	strbuf_fmt(&b, "[%u]", st->node);
	must(!b.cut);
	must(value_parse(&again, text, rule, &why));
	must(again.direction == st->direction && again.node == st->node);
	must(again.value.num == st->value.num &&
	     again.value.plus == st->value.plus &&
	     again.value.corr == st->value.corr &&
	     again.value.shape == st->value.shape &&
	     !strcmp(again.value.table, st->value.table));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct value_rule *rule = &rules[take(&in) % ARRAY_SIZE(rules)];
	struct value_setting st, was;
	char text[512], reason[256];
	struct strbuf why;

	in.left = size_min(in.left, sizeof(text) - 1);
	memcpy(text, in.p, in.left);
	text[in.left] = '\0';
	memset(&st, 0x5a, sizeof(st));
	memcpy(&was, &st, sizeof(was));
	strbuf_init(&why, reason, sizeof(reason));
	if (!value_parse(&st, text, rule, &why)) {
		must(why.len > 0 && !memcmp(&st, &was, sizeof(st)));
		return 0;
	}
	must(why.len == 0);
	check_taken(&st, rule);
	check_again(&st, rule);
	return 0;
}
