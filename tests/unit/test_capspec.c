// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capspec.h"

#include <string.h>

#include "common/pcapng.h"

#include "../unit/test.h"

static struct capspec cs;
static char why_text[128];

static bool parse(const char *text)
{
	struct strbuf why;

	strbuf_init(&why, why_text, sizeof(why_text));
	return capspec_parse(&cs, text, &why);
}

static bool refuses(const char *text, const char *reason)
{
	if (!parse(text) && !strcmp(why_text, reason))
		return true;
	printf("# %s: %s\n", text, why_text);
	return false;
}

static void a_target_alone_means_everything(void)
{
	CHECK(parse("/tmp/x"));
	CHECK(!strcmp(cs.target, "/tmp/x") && !cs.filter[0]);
	CHECK(cs.port == -1 && cs.vlan == -1 && cs.count == 0);
	CHECK(cs.direction == CAPTURE_BOTH);
	CHECK(cs.snaplen == PCAPNG_SNAPLEN_MAX);
}

static void options_come_in_any_order(void)
{
	CHECK(parse("x filter \"udp and port 53\" count 5 vlan 4094 snaplen 96 "
		    "direction drop port 0"));
	CHECK(!strcmp(cs.filter, "udp and port 53"));
	CHECK(cs.port == 0 && cs.vlan == 4094 && cs.count == 5);
	CHECK(cs.snaplen == 96 && cs.direction == CAPTURE_DROP);
	CHECK(parse("x direction in filter icmp"));
	CHECK(cs.direction == CAPTURE_IN && !strcmp(cs.filter, "icmp"));
	CHECK(parse("x direction out"));
	CHECK(cs.direction == CAPTURE_OUT);
}

static void a_target_may_have_blanks_or_be_called_as_an_option(void)
{
	CHECK(parse("'/tmp/my capture' port 1"));
	CHECK(!strcmp(cs.target, "/tmp/my capture") && cs.port == 1);
	CHECK(parse("port port 2"));
	CHECK(!strcmp(cs.target, "port") && cs.port == 2);
}

static void a_target_must_be_given(void)
{
	CHECK(refuses("", "no target is given"));
	CHECK(refuses("''", "no target is given"));
}

static void what_is_no_option_is_named_with_those_that_are(void)
{
	CHECK(refuses("x Port 1", "'Port' is none of port vlan direction "
				  "filter snaplen count"));
}

static void values_must_fit(void)
{
	CHECK(refuses("x port", "port needs a value"));
	CHECK(refuses("x port 16385", "'16385' is no value for port"));
	CHECK(refuses("x port -1", "'-1' is no value for port"));
	CHECK(refuses("x vlan 4095", "'4095' is no value for vlan"));
	CHECK(refuses("x snaplen 0", "'0' is no value for snaplen"));
	CHECK(refuses("x snaplen 262145", "'262145' is no value for snaplen"));
	CHECK(refuses("x count 0", "'0' is no value for count"));
	CHECK(refuses("x count 1x", "'1x' is no value for count"));
	CHECK(refuses("x direction up", "'up' is no value for direction"));
	CHECK(refuses("x filter ''", "'' is no value for filter"));
}

static void an_option_comes_once(void)
{
	CHECK(refuses("x port 1 vlan 1 port 2", "port is given twice"));
}

static void quotes_must_be_closed(void)
{
	CHECK(refuses("'x", "a quote is not closed"));
	CHECK(refuses("x 'port", "a quote is not closed"));
	CHECK(refuses("x filter \"icmp", "a quote is not closed"));
}

static void a_long_line_is_refused(void)
{
	char line[CAPSPEC_TEXT + 1];

	memset(line, 'x', sizeof(line));
	line[CAPSPEC_TEXT] = '\0';
	CHECK(refuses(line, "the line is too long"));
	line[CAPSPEC_TEXT - 1] = '\0';
	CHECK(parse(line) && strlen(cs.target) == CAPSPEC_TEXT - 1);
}

int main(void)
{
	RUN(a_target_alone_means_everything);
	RUN(options_come_in_any_order);
	RUN(a_target_may_have_blanks_or_be_called_as_an_option);
	RUN(a_target_must_be_given);
	RUN(what_is_no_option_is_named_with_those_that_are);
	RUN(values_must_fit);
	RUN(an_option_comes_once);
	RUN(quotes_must_be_closed);
	RUN(a_long_line_is_refused);
	DONE();
}
