// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/iptable.h"

#include <string.h>

#include "../unit/test.h"

static const uint64_t key[2] = { 1, 2 };
static struct iptable *t;
static struct ipentry *e;

static struct ipsight sight(uint32_t n, uint64_t mac)
{
	struct ipsight s = { .addr.len = 4, .mac = mac };

	for (int i = 0; i < 4; i++)
		s.addr.bytes[i] = (uint8_t)(n >> (24 - 8 * i));
	return s;
}

/* Address @n on @port at @now; adds it when it is unknown. */
static enum iptable_result see(uint32_t n, unsigned int vlan, unsigned int port,
			       uint32_t now)
{
	struct ipsight s = sight(n, n + 1000);
	enum iptable_result r = iptable_see(t, &s, vlan, port, now, &e);

	if (r == IPTABLE_UNKNOWN)
		e = iptable_add(t, &s, vlan, port, now);
	CHECK(e && e->port == port && e->vlan == vlan && e->seen_s == now);
	return r;
}

static bool knows(uint32_t n, unsigned int vlan)
{
	uint64_t at = 0;
	const struct ipentry *i;
	struct ipsight s = sight(n, 0);

	while ((i = iptable_next(t, &at)))
		if (ipaddr_equal(&i->addr, &s.addr) && i->vlan == vlan)
			return true;
	return false;
}

static uint32_t count(unsigned int port)
{
	uint64_t at = 0;
	const struct ipentry *i;
	uint32_t n = 0;

	while ((i = iptable_next(t, &at)))
		n += i->port == port;
	return n;
}

static void setup(uint32_t max)
{
	iptable_free(t);
	t = iptable_new(max, key);
	CHECK(t != NULL);
}

static void an_address_is_new_once_in_each_vlan(void)
{
	setup(100);
	CHECK(see(1, 0, 1, 10) == IPTABLE_UNKNOWN);
	CHECK(see(1, 0, 1, 10) == IPTABLE_KNOWN);
	CHECK(see(1, 0, 1, 11) == IPTABLE_KNOWN);
	CHECK(see(1, 5, 1, 11) == IPTABLE_UNKNOWN);
	CHECK(see(2, 0, 1, 11) == IPTABLE_UNKNOWN);
	CHECK(iptable_used(t) == 3);
}

static void another_port_or_mac_is_a_change(void)
{
	struct ipsight other = sight(1, 77);

	setup(100);
	see(1, 0, 1, 10);
	CHECK(see(1, 0, 2, 10) == IPTABLE_CHANGED);
	CHECK(see(1, 0, 2, 10) == IPTABLE_KNOWN);
	CHECK(iptable_see(t, &other, 0, 2, 10, &e) == IPTABLE_CHANGED);
	CHECK(e->mac == 77);
	CHECK(count(1) == 0 && count(2) == 1);
}

static void idle_addresses_expire(void)
{
	setup(100);
	for (uint32_t i = 0; i < 50; i++)
		see(i + 1, 0, i % 5, i);
	see(1, 0, 0, 60);
	CHECK(iptable_expire(t, 60, 30) == 30);
	CHECK(knows(1, 0) && !knows(2, 0) && !knows(31, 0) && knows(32, 0));
	CHECK(iptable_expire(t, 90, 30) == 20);
	CHECK(iptable_used(t) == 0);
	CHECK(see(1, 0, 0, 100) == IPTABLE_UNKNOWN);
}

static void a_port_takes_its_addresses_along(void)
{
	setup(100);
	for (uint32_t i = 0; i < 50; i++)
		see(i + 1, 0, i % 5, i);
	iptable_forget_port(t, 3);
	CHECK(count(3) == 0 && iptable_used(t) == 40);
	iptable_forget_port(t, 3);
	iptable_forget_port(t, 999);
	CHECK(iptable_used(t) == 40);
}

static bool is_odd(void *ctx, const struct ipentry *i)
{
	++*(int *)ctx;
	return i->addr.bytes[3] & 1;
}

static void some_can_be_forgotten(void)
{
	int calls = 0;

	setup(100);
	for (uint32_t i = 0; i < 50; i++)
		see(i, 0, 1, 1);
	iptable_forget_if(t, is_odd, &calls);
	CHECK(calls == 50 && iptable_used(t) == 25);
	iptable_forget_if(t, is_odd, &calls);
	CHECK(calls == 75 && knows(2, 0) && !knows(3, 0));
}

static void a_full_table_is_fair(void)
{
	setup(64);
	for (uint32_t i = 0; i < 4; i++)
		see(i + 1, 0, 7, i); /* honest, and the oldest */
	for (uint32_t i = 0; i < 10000; i++)
		see(0x0b000000 + i, 0, 1, i);
	CHECK(iptable_used(t) == 64);
	CHECK(count(7) == 4 && count(1) == 60);
	CHECK(knows(0x0b000000 + 9999, 0) && !knows(0x0b000000, 0));
	/* Whoever comes later gets its share of him who has most. */
	for (uint32_t i = 0; i < 20; i++)
		see(100 + i, 0, 8, i);
	CHECK(count(8) == 20 && count(7) == 4 && count(1) == 40);
	for (uint32_t i = 0; i < 1000; i++)
		see(0x0c000000 + i, 0, 8, i);
	CHECK(count(7) == 4 && count(8) + count(1) == 60);
	CHECK(count(8) <= 31 && count(1) >= 29);
}

static void entries_survive_what_happens_to_others(void)
{
	bool in[256] = { false };
	uint32_t x = 12345;

	setup(64);
	for (int i = 0; i < 20000; i++) {
		uint32_t n;

		x = x * 1103515245 + 12345;
		n = x >> 24 & 63;
		if (x >> 16 & 3) {
			CHECK((see(n + 1, 0, 1, 5) != IPTABLE_UNKNOWN) ==
			      in[n]);
			in[n] = true;
		} else if (x >> 18 & 1) {
			int calls = 0;

			iptable_forget_if(t, is_odd, &calls);
			for (n = 0; n < 64; n += 2)
				in[n] = false;
		}
	}
	for (uint32_t n = 0; n < 64; n++)
		CHECK(knows(n + 1, 0) == in[n]);
}

int main(void)
{
	RUN(an_address_is_new_once_in_each_vlan);
	RUN(another_port_or_mac_is_a_change);
	RUN(idle_addresses_expire);
	RUN(a_port_takes_its_addresses_along);
	RUN(some_can_be_forgotten);
	RUN(a_full_table_is_fair);
	RUN(entries_survive_what_happens_to_others);
	iptable_free(t);
	DONE();
}
