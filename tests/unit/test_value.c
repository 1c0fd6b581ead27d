// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parameters of the wire: VDE 2's syntax, what was added, and what is refused.
 */
#include "wirefilter/value.h"

#include <math.h>
#include <string.h>

#include "../unit/test.h"

static const struct value_rule delay = { .name = "delay",
					 .max = 1e9,
					 .unit = "ms" };
static const struct value_rule band = {
	.name = "bandwidth", .least = 1, .max = 1e12, .bytes = true
};
static const struct value_rule loss = { .name = "loss", .max = 100 };
static const struct value_rule dup = { "dup", 0, 100, true, false, "%" };

static struct value_setting st;
static char reason[256];

static bool take(const struct value_rule *rule, const char *text)
{
	struct strbuf why;
	bool ok;

	strbuf_init(&why, reason, sizeof(reason));
	ok = value_parse(&st, text, rule, &why);
	return ok && !why.len;
}

static bool is(const char *text, double num, double plus,
	       enum value_shape shape)
{
	return take(&delay, text) && st.value.num == num &&
	       st.value.plus == plus && st.value.shape == shape;
}

static bool rate(const char *text, double num, double plus)
{
	return take(&band, text) && st.value.num == num &&
	       st.value.plus == plus;
}

/* Refused with @why, and nothing changed. */
static bool refused(const struct value_rule *rule, const char *text,
		    const char *why)
{
	struct value_setting was;

	memset(&st, 0x5a, sizeof(st));
	memcpy(&was, &st, sizeof(st));
	if (take(rule, text)) {
		printf("# taken: %s\n", text);
		return false;
	}
	if (strcmp(reason, why) != 0) {
		printf("# %s\n", reason);
		return false;
	}
	return !memcmp(&st, &was, sizeof(st));
}

static void numbers_of_vde_2_are_read(void)
{
	CHECK(is("10", 10, 0, VALUE_UNIFORM));
	CHECK(is("2.5", 2.5, 0, VALUE_UNIFORM));
	CHECK(is("0", 0, 0, VALUE_UNIFORM));
	CHECK(is("5.", 5, 0, VALUE_UNIFORM) && is(".5", .5, 0, VALUE_UNIFORM));
	CHECK(is("1e3", 1000, 0, VALUE_UNIFORM));
	CHECK(is("1.5E+2", 150, 0, VALUE_UNIFORM));
	CHECK(is("25e-1", 2.5, 0, VALUE_UNIFORM));
	CHECK(is("100+50", 100, 50, VALUE_UNIFORM));
	CHECK(is("1e2+.5", 100, .5, VALUE_UNIFORM));
	CHECK(is("100+50U", 100, 50, VALUE_UNIFORM));
	CHECK(is("100+50N", 100, 50, VALUE_GAUSS));
	CHECK(is("100+50n", 100, 50, VALUE_GAUSS));
	CHECK(is("10u", 10, 0, VALUE_UNIFORM));
	CHECK(is("0.1+0.2", 0.1, 0.2, VALUE_UNIFORM));
}

static void a_suffix_counts_for_both_numbers(void)
{
	CHECK(is("1K", 1024, 0, VALUE_UNIFORM));
	CHECK(is("1k", 1024, 0, VALUE_UNIFORM));
	CHECK(is("128+64K", 131072, 65536, VALUE_UNIFORM));
	CHECK(is("1+.5M", 1048576, 524288, VALUE_UNIFORM));
	CHECK(rate("2G", 2147483648.0, 0) && rate("2g", 2147483648.0, 0));
	CHECK(is("1+1KN", 1024, 1024, VALUE_GAUSS));
}

static void bits_are_decimal_and_eight_make_a_byte(void)
{
	CHECK(rate("8Kb", 1000, 0) && rate("8kb", 1000, 0));
	CHECK(rate("8+4Mb", 1e6, 5e5));
	CHECK(rate("1Gb", 125e6, 0));
	CHECK(rate("800b", 100, 0));
	CHECK(rate("128KB", 131072, 0) && rate("128B", 128, 0));
	CHECK(rate("8+8KbN[0]", 1000, 1000));
	CHECK(st.value.shape == VALUE_GAUSS);
	CHECK(refused(&delay, "8Kb", "delay '8Kb': 'b' is not understood"));
	CHECK(refused(&delay, "8B", "delay '8B': 'B' is not understood"));
}

static void the_unit_may_stand_behind_the_numbers(void)
{
	CHECK(is("100ms", 100, 0, VALUE_UNIFORM));
	CHECK(is("LR 10 + 5 ms [3]", 10, 5, VALUE_UNIFORM));
	CHECK(is("10+5ms N", 10, 5, VALUE_GAUSS));
	CHECK(is("10+5ms:pareto~9", 10, 5, VALUE_PARETO));
	CHECK(take(&dup, "5%") && take(&dup, "5 %[1]"));
	CHECK(refused(&delay, "5s", "delay '5s': 's' is not understood"));
	CHECK(refused(&delay, "5%", "delay '5%': '%' is not understood"));
	CHECK(refused(&delay, "5msec",
		      "delay '5msec': 'sec' is not "
		      "understood"));
	CHECK(refused(&loss, "5%", "loss '5%': '%' is not understood"));
	CHECK(refused(&dup, "5%%", "dup '5%%': '%' is not understood"));
	CHECK(refused(&dup, "5%x", "dup '5%x': '%x' is not understood"));
}

static void a_direction_and_a_node_are_read(void)
{
	CHECK(is("10", 10, 0, VALUE_UNIFORM));
	CHECK(st.direction == VALUE_BOTH && st.node == 0);
	CHECK(is("LR5", 5, 0, VALUE_UNIFORM) && st.direction == VALUE_LR);
	CHECK(is("RL2.5", 2.5, 0, VALUE_UNIFORM) && st.direction == VALUE_RL);
	CHECK(is("LR10+5U", 10, 5, VALUE_UNIFORM) && st.direction == VALUE_LR);
	CHECK(is("50[1]", 50, 0, VALUE_UNIFORM) && st.node == 1);
	CHECK(is("RL5+1KN[12]", 5120, 1024, VALUE_GAUSS));
	CHECK(st.node == 12 && st.direction == VALUE_RL);
	CHECK(is("5[65535]", 5, 0, VALUE_UNIFORM) && st.node == 65535);
}

static void blanks_may_stand_between_the_parts(void)
{
	CHECK(is(" LR 10 + 5 K N [ 1 ] ", 10240, 5120, VALUE_GAUSS));
	CHECK(st.direction == VALUE_LR && st.node == 1);
	CHECK(is("\t10\t", 10, 0, VALUE_UNIFORM));
	CHECK(refused(&delay, "1 0", "delay '1 0': '0' is not understood"));
}

static void shapes_have_names(void)
{
	CHECK(is("100+20:uniform", 100, 20, VALUE_UNIFORM));
	CHECK(is("100+20:normal", 100, 20, VALUE_NORMAL));
	CHECK(is("100+20:pareto", 100, 20, VALUE_PARETO));
	CHECK(is("100+20:paretonormal", 100, 20, VALUE_PARETONORMAL));
	CHECK(!st.value.table[0]);
	CHECK(is("1+1K:my-table_2.x[3]", 1024, 1024, VALUE_TABLE));
	CHECK(!strcmp(st.value.table, "my-table_2.x") && st.node == 3);
	CHECK(is("1:paretto", 1, 0, VALUE_TABLE)); /* may exist */
	CHECK(is("1:a23456789012345678901234567890b", 1, 0, VALUE_TABLE));
	CHECK(refused(&delay, "1:a23456789012345678901234567890bc",
		      "delay '1:a23456789012345678901234567890bc': "
		      "the name of a distribution is too long"));
	CHECK(refused(&delay, "1:", "delay '1:': a distribution has no name"));
	CHECK(refused(&delay, "1N:normal",
		      "delay '1N:normal': ':normal' is not understood"));
}

static void draws_may_be_correlated(void)
{
	CHECK(is("100+20~25", 100, 20, VALUE_UNIFORM) && st.value.corr == 25);
	CHECK(is("100+20N~2.5[1]", 100, 20, VALUE_GAUSS));
	CHECK(st.value.corr == 2.5 && st.node == 1);
	CHECK(is("1+1:pareto~100", 1, 1, VALUE_PARETO) && st.value.corr == 100);
	CHECK(is("5~0", 5, 0, VALUE_UNIFORM) && st.value.corr == 0);
	CHECK(refused(&delay, "5~101",
		      "delay '5~101': a correlation is above 100 %"));
	CHECK(refused(&delay, "5~", "delay '5~': a number is missing"));
	CHECK(refused(&delay, "5~-1", "delay '5~-1': a number is negative"));
}

static void what_is_no_value_is_refused_with_a_reason(void)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "a number is missing" },
		{ "abc", "a number is missing" },
		{ ".", "a number is missing" },
		{ "+5", "a number is missing" },
		{ "e5", "a number is missing" },
		{ "inf", "a number is missing" },
		{ "nan", "a number is missing" },
		{ "LR", "a number is missing" },
		{ "lr5", "a number is missing" },
		{ "AB5", "a number is missing" },
		{ "LRRL5", "a number is missing" },
		{ "10+", "a number is missing" },
		{ "10+x", "a number is missing" },
		{ "10++5", "a number is missing" },
		{ "-4", "a number is negative" },
		{ "10+-4", "a number is negative" },
		{ "0x10", "'x10' is not understood" },
		{ "1e", "'e' is not understood" },
		{ "1.2.3", "'.3' is not understood" },
		{ "1,5", "',5' is not understood" },
		{ "10x", "'x' is not understood" },
		{ "10KK", "'K' is not understood" },
		{ "10UN", "'N' is not understood" },
		{ "10NK", "'K' is not understood" },
		{ "10+5+2", "a suffix stands behind both numbers" },
		{ "128K+64K", "a suffix stands behind both numbers" },
		{ "10LR", "'LR' is not understood" },
		{ "5[", "a node is not a number" },
		{ "5[]", "a node is not a number" },
		{ "5[bad]", "a node is not a number" },
		{ "5[-1]", "a node is not a number" },
		{ "5[1", "a ']' is missing" },
		{ "5[1,2]", "a ']' is missing" },
		{ "5[1]x", "'x' is not understood" },
		{ "5[1]N", "'N' is not understood" },
		{ "5[65536]", "a node has too large a number" },
		{ "5[99999999999999999999]", "a node has too large a number" },
	};
	char why[128];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		str_fmt(why, sizeof(why), "delay '%s': %s", bad[i].text,
			bad[i].why);
		CHECK(refused(&delay, bad[i].text, why));
	}
}

static void a_number_of_a_thousand_digits_is_refused(void)
{
	char text[1001], *end = text + sizeof(text) - 1;
	struct strbuf why;

	memset(text, '1', sizeof(text) - 1);
	*end = '\0';
	strbuf_init(&why, reason, sizeof(reason));
	CHECK(!value_parse(&st, text, &delay, &why));
	CHECK(why.cut); /* the text alone is longer; nothing is overrun */
	memset(text, '0', sizeof(text) - 1);
	CHECK(!value_parse(&st, text, &delay, &why));
	CHECK(refused(&delay, "1e999",
		      "delay '1e999': inf is not 0 to "
		      "1000000000"));
	CHECK(is("1e-999", 0, 0, VALUE_UNIFORM));
}

static void each_parameter_has_its_range(void)
{
	CHECK(take(&loss, "100") && take(&loss, "0") && take(&loss, "0.0001"));
	CHECK(refused(&loss, "100.5", "loss '100.5': 100.5 is not 0 to 100"));
	CHECK(refused(&loss, "1K", "loss '1K': 1024 is not 0 to 100"));
	CHECK(refused(&loss, "1+101",
		      "loss '1+101': a variation of 101 is not 0 to 100"));
	CHECK(take(&dup, "99.9"));
	CHECK(refused(&dup, "100", "dup '100': 100 is not 0 to below 100"));
	CHECK(take(&band, "0") && take(&band, "1") && take(&band, "10+.5"));
	CHECK(refused(&band, "0.5",
		      "bandwidth '0.5': 0.5 is not 0 or 1 to 1000000000000"));
	CHECK(refused(&band, "4b",
		      "bandwidth '4b': 0.5 is not 0 or 1 to 1000000000000"));
	CHECK(refused(&band, "1000G",
		      "bandwidth '1000G': 1073741824000 is not 0 or 1 to "
		      "1000000000000"));
}

static bool prints(const struct value_rule *rule, const char *text,
		   const char *vde, const char *exact)
{
	char a[128], b[128];
	struct strbuf sa, sb;

	strbuf_init(&sa, a, sizeof(a));
	strbuf_init(&sb, b, sizeof(b));
	if (!take(rule, text))
		return false;
	value_print(&sa, &st.value);
	value_print_exact(&sb, &st.value);
	if (!strcmp(a, vde) && !strcmp(b, exact))
		return true;
	printf("# %s, %s\n", a, b);
	return false;
}

static void values_are_printed_as_vde_2_does(void)
{
	CHECK(prints(&loss, "5", "5+0U", "5+0U"));
	CHECK(prints(&loss, "RL2.5", "2.5+0U", "2.5+0U"));
	CHECK(prints(&delay, "100+50N", "100+50N", "100+50N"));
	CHECK(prints(&band, "1M", "1.04858e+06+0U", "1048576+0U"));
	CHECK(prints(&band, "1G", "1.07374e+09+0U", "1073741824+0U"));
	CHECK(prints(&band, "20K", "20480+0U", "20480+0U"));
	CHECK(prints(&delay, "0.1+0.00001234567", "0.1+1.23457e-05U",
		     "0.1+1.234567e-05U"));
	CHECK(prints(&delay, "1+1:pareto~12.5", "1+1:pareto~12.5",
		     "1+1:pareto~12.5"));
	CHECK(prints(&delay, "1+1:mine", "1+1:mine", "1+1:mine"));
}

static void exact_text_gives_the_same_value_again(void)
{
	static const char *const texts[] = {
		"0.1+0.3",  "33.333333333333336+1e-7N",	   "1+2~33.3",
		"8.1+7Mb",  "1.7976931348623157e5:pareto", "4.9e-324",
		"1+1:mine", "123456789.12345678+9",
	};
	struct strbuf b;
	char text[128];
	struct value was;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CHECK(take(i == 3 ? &band : &delay, texts[i]));
		was = st.value;
		strbuf_init(&b, text, sizeof(text));
		value_print_exact(&b, &was);
		CHECK(take(&delay, text));
		CHECK(st.value.num == was.num && st.value.plus == was.plus &&
		      st.value.corr == was.corr);
		CHECK(st.value.shape == was.shape &&
		      !strcmp(st.value.table, was.table));
	}
}

int main(void)
{
	RUN(numbers_of_vde_2_are_read);
	RUN(a_suffix_counts_for_both_numbers);
	RUN(bits_are_decimal_and_eight_make_a_byte);
	RUN(the_unit_may_stand_behind_the_numbers);
	RUN(a_direction_and_a_node_are_read);
	RUN(blanks_may_stand_between_the_parts);
	RUN(shapes_have_names);
	RUN(draws_may_be_correlated);
	RUN(what_is_no_value_is_refused_with_a_reason);
	RUN(a_number_of_a_thousand_digits_is_refused);
	RUN(each_parameter_has_its_range);
	RUN(values_are_printed_as_vde_2_does);
	RUN(exact_text_gives_the_same_value_again);
	DONE();
}
