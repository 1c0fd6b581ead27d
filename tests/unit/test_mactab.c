// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/mactab.h"

#include <errno.h>

#include "../unit/test.h"

#define PORTS 8

static struct mactab *table(size_t slots)
{
	return mactab_new(slots, PORTS, 42);
}

static enum mactab_result learn(struct mactab *t, uint64_t addr,
				unsigned int port, uint32_t now)
{
	unsigned int old;

	return mactab_learn(t, mactab_key(0, addr), port, now, &old);
}

static int find(struct mactab *t, uint64_t addr, uint32_t now)
{
	return mactab_find(t, mactab_key(0, addr), now);
}

static void an_idle_address_is_forgotten(void)
{
	struct mactab *t = table(16);

	CHECK(learn(t, 0xabc, 7, 0) == MACTAB_NEW);
	CHECK(find(t, 0xabc, 100) == 7);
	CHECK(find(t, 0xabc, 101) == -1);
	CHECK(learn(t, 0xabc, 7, 50) == MACTAB_KNOWN);
	CHECK(find(t, 0xabc, 150) == 7);
	mactab_set_expire(t, 0);
	CHECK(find(t, 0xabc, 100000) == 7);
	mactab_free(t);
}

static void vlans_learn_apart(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	mactab_learn(t, mactab_key(0, 1), 3, 0, &old);
	mactab_learn(t, mactab_key(5, 1), 4, 0, &old);
	CHECK(mactab_find(t, mactab_key(0, 1), 0) == 3);
	CHECK(mactab_find(t, mactab_key(5, 1), 0) == 4);
	CHECK(mactab_find(t, mactab_key(6, 1), 0) == -1);
	mactab_free(t);
}

static void a_station_moves_only_after_silence(void)
{
	struct mactab *t = table(16);
	unsigned int old = 99;

	learn(t, 1, 2, 10);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 13, &old) == MACTAB_KEPT);
	CHECK(old == 2 && find(t, 1, 13) == 2);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 14, &old) == MACTAB_MOVED);
	CHECK(old == 2 && find(t, 1, 14) == 5);
	CHECK(mactab_counters(t)->learned == 1);
	CHECK(mactab_counters(t)->moved == 1);
	mactab_free(t);
}

static void the_table_grows_and_keeps_everything(void)
{
	struct mactab *t = table(16);
	size_t found = 0;

	for (uint64_t a = 1; a <= 100000; a++)
		CHECK(learn(t, a, a % PORTS, 0) == MACTAB_NEW);
	for (uint64_t a = 1; a <= 100000; a++)
		found += find(t, a, 0) == (int)(a % PORTS);
	CHECK(found == 100000);
	CHECK(mactab_used(t) == 100000);
	CHECK(mactab_slots(t) == MACTAB_MAX_SLOTS);
	mactab_free(t);
}

static void resizing_keeps_everything(void)
{
	struct mactab *t = table(4096);
	size_t found = 0;

	for (uint64_t a = 1; a <= 1000; a++)
		learn(t, a, 1, 0);
	CHECK(mactab_resize(t, 65536) == 0 && mactab_slots(t) == 65536);
	CHECK(mactab_resize(t, 1) == 0 && mactab_slots(t) >= 2000);
	CHECK(mactab_slots(t) < 65536);
	for (uint64_t a = 1; a <= 1000; a++)
		found += find(t, a, 0) == 1;
	CHECK(found == 1000);
	mactab_free(t);
}

static void a_flooding_port_evicts_only_its_own(void)
{
	struct mactab *t = table(16);
	size_t kept = 0;

	for (uint64_t a = 1; a <= 1000; a++)
		learn(t, a, 1, 0);
	for (uint64_t a = 1; a <= 1000000; a++)
		learn(t, 0x020000000000 + a, 2, 1);
	for (uint64_t a = 1; a <= 1000; a++)
		kept += find(t, a, 1) == 1;
	CHECK(kept == 1000);
	CHECK(mactab_slots(t) == MACTAB_MAX_SLOTS);
	CHECK(mactab_used(t) <= MACTAB_MAX_SLOTS);
	CHECK(mactab_counters(t)->learned ==
	      1001000 - mactab_counters(t)->refused);
	CHECK(mactab_counters(t)->learned ==
	      mactab_used(t) + mactab_counters(t)->displaced);
	/* and a quiet port still gets its station in */
	for (uint64_t a = 1; a <= 1000; a++)
		CHECK(learn(t, 0x030000000000 + a, 3, 1) == MACTAB_NEW);
	mactab_free(t);
}

static void flushing_takes_the_port_and_vlan_asked_for(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	mactab_learn(t, mactab_key(0, 1), 1, 0, &old);
	mactab_learn(t, mactab_key(5, 2), 1, 0, &old);
	mactab_learn(t, mactab_key(5, 3), 2, 0, &old);
	mactab_flush(t, 1, 5);
	CHECK(mactab_used(t) == 2);
	CHECK(mactab_find(t, mactab_key(5, 2), 0) == -1);
	mactab_flush(t, 1, -1);
	CHECK(mactab_used(t) == 1);
	mactab_flush(t, -1, 5);
	CHECK(mactab_used(t) == 0);
	mactab_free(t);
}

static bool port_is_vlan(void *ctx, unsigned int vlan, unsigned int port)
{
	++*(int *)ctx;
	return port == vlan;
}

static void one_flush_takes_many_ports_and_vlans(void)
{
	struct mactab *t = table(16);
	unsigned int old;
	int asked = 0;

	for (unsigned int vlan = 0; vlan < 3; vlan++)
		for (unsigned int port = 0; port < 3; port++)
			mactab_learn(t, mactab_key(vlan, port + 1), port, 0,
				     &old);
	mactab_flush_if(t, port_is_vlan, &asked);
	CHECK(asked == 9 && mactab_used(t) == 6);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK(mactab_find(t, mactab_key(i, i + 1), 0) == -1);
		CHECK(mactab_find(t, mactab_key(i, (i + 1) % 3 + 1), 0) >= 0);
	}
	mactab_free(t);
}

/* Entries on @port in @vlan; either may be -1 for all. */
static size_t count(const struct mactab *t, int port, int vlan, uint32_t now)
{
	struct mactab_entry e;
	size_t n = 0;

	for (size_t i = 0; mactab_next(t, i, now, &e); i = e.slot + 1)
		n += (port < 0 || e.port == port) &&
		     (vlan < 0 || mactab_vlan(e.key) == (unsigned int)vlan);
	return n;
}

static uint32_t rnd(uint32_t n)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33) % n;
}

/* Stations that come, move and give way; tables that grow and shrink. */
static unsigned int disturb(struct mactab *t, uint32_t now)
{
	unsigned int old, moved = 0;

	for (int i = 0; i < 2000; i++)
		moved += mactab_learn(t, mactab_key(rnd(40), 1 + rnd(300)),
				      rnd(PORTS), now, &old) == MACTAB_MOVED;
	if (!rnd(4))
		mactab_stick(t, mactab_key(rnd(40), 1 + rnd(300)),
			     MACTAB_STICKY_HAND);
	if (!rnd(3))
		CHECK(mactab_resize(t, 16u << rnd(12)) == 0);
	if (!rnd(3))
		CHECK(mactab_set_ports(t, PORTS + rnd(100)) == 0);
	return moved;
}

/* What is remembered of the last look-ups is true. */
static void what_was_looked_up_before_is_not_believed_too_long(void)
{
	struct mactab *t = table(1024);
	struct mactab_entry e;
	unsigned int old, wrong = 0;

	mactab_set_persistence(t, 0);
	mactab_set_expire(t, 20);
	for (uint32_t i = 1; i <= 200000; i++) {
		uint32_t now = i / 64;
		uint64_t key = mactab_key(rnd(2), 1 + rnd(8));
		int port = (int)rnd(PORTS), on;

		on = mactab_get(t, key, now, &e) ? e.port : -1;
		wrong += mactab_find(t, key, now) != on;
		if (!rnd(4))
			mactab_learn(t, key, (unsigned int)port, now, &old);
		if (!rnd(20))
			mactab_flush(t, port, rnd(2) ? -1 : (int)rnd(2));
		if (!rnd(50))
			mactab_drop(t, key);
		if (!rnd(100))
			CHECK(mactab_resize(t, 16u << rnd(8)) == 0);
		if (!rnd(200))
			mactab_expire(t, now);
		on = mactab_get(t, key, now, &e) ? e.port : -1;
		wrong += mactab_find(t, key, now) != on;
	}
	CHECK(wrong == 0);
	mactab_free(t);
}

static void a_station_that_speaks_stays_known(void)
{
	struct mactab *t = table(16);

	mactab_set_expire(t, 5);
	for (uint32_t now = 1; now < 20; now++) {
		CHECK(learn(t, 1, 2, now) != MACTAB_FULL);
		CHECK(learn(t, 1, 2, now) == MACTAB_KNOWN);
		CHECK(find(t, 1, now) == 2 && find(t, 1, now) == 2);
		CHECK(mactab_expire(t, now) == now + 6);
	}
	CHECK(find(t, 1, 24) == 2 && find(t, 1, 25) == -1);
	mactab_free(t);
}

static void flushing_is_exact_whatever_happened_before(void)
{
	struct mactab *t = table(16);
	unsigned int moved = 0;

	mactab_set_persistence(t, 0);
	mactab_set_expire(t, 0);
	for (uint32_t now = 1; now < 1000; now++) {
		int port = (int)rnd(PORTS + 1) - 1, vlan = (int)rnd(41) - 1;
		size_t all, these;

		moved += disturb(t, now);
		all = count(t, -1, -1, now);
		these = count(t, port, vlan, now);
		mactab_forget(t, port, vlan);
		if (count(t, port, vlan, now) ||
		    mactab_used(t) != all - these ||
		    count(t, -1, -1, now) != all - these) {
			CHECK(!"it forgot these and no others");
			break;
		}
	}
	mactab_forget(t, -1, -1);
	CHECK(mactab_used(t) == 0 && mactab_sticky(t) == 0 && moved > 100000);
	mactab_free(t);
}

static void count_gone(void *ctx, const struct mactab_entry *e)
{
	*(int *)ctx += e->port == 1;
}

static void expiry_tells_what_went_and_when_to_look_again(void)
{
	struct mactab *t = table(16);
	int gone = 0;

	mactab_on_gone(t, count_gone, &gone);
	CHECK(mactab_expire(t, 5) == 0);
	learn(t, 1, 1, 10);
	learn(t, 2, 1, 30);
	CHECK(mactab_expire(t, 40) == 111);
	CHECK(gone == 0);
	CHECK(mactab_expire(t, 111) == 131);
	CHECK(gone == 1 && mactab_used(t) == 1);
	mactab_free(t);
}

static void whatever_is_forgotten_is_told(void)
{
	struct mactab *t = table(16);
	int gone = 0;
	unsigned int learned = 0;

	mactab_on_gone(t, count_gone, &gone);
	for (uint64_t a = 1; a <= 400000; a++) /* more than fits */
		learned += learn(t, a, 1, 0) == MACTAB_NEW;
	CHECK(gone > 0 && learned - (unsigned int)gone == mactab_used(t));
	CHECK(mactab_resize(t, 1) == 0);
	CHECK(learned - (unsigned int)gone == mactab_used(t));
	mactab_flush(t, 1, -1);
	CHECK(learned == (unsigned int)gone && mactab_used(t) == 0);
	mactab_free(t);
}

static void an_expired_station_may_move_at_once(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	mactab_set_expire(t, 1);
	mactab_set_persistence(t, 1000);
	learn(t, 1, 2, 10);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 11, &old) == MACTAB_KEPT);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 12, &old) == MACTAB_MOVED);
	CHECK(find(t, 1, 12) == 5);
	mactab_free(t);
}

static void listing_visits_each_entry_once(void)
{
	struct mactab *t = table(16);
	struct mactab_entry e;
	size_t n = 0;
	uint64_t sum = 0;

	for (uint64_t a = 1; a <= 100; a++)
		learn(t, a, 1, 0);
	for (size_t i = 0; mactab_next(t, i, 0, &e); i = e.slot + 1) {
		n++;
		sum += mactab_addr(e.key);
	}
	CHECK(n == 100 && sum == 5050);
	CHECK(mactab_get(t, mactab_key(0, 7), 0, &e) && e.port == 1);
	mactab_free(t);
}

static int stick(struct mactab *t, uint64_t addr)
{
	return mactab_stick(t, mactab_key(0, addr), MACTAB_STICKY_HAND);
}

static void a_sticky_address_neither_expires_nor_moves(void)
{
	struct mactab *t = table(16);
	unsigned int old = 99;

	learn(t, 1, 2, 10);
	CHECK(stick(t, 1) == 0 && mactab_sticky(t) == 1);
	CHECK(find(t, 1, 100000) == 2);
	CHECK(mactab_learn(t, mactab_key(0, 1), 5, 100000, &old) ==
	      MACTAB_STICKY);
	CHECK(old == 2 && find(t, 1, 100000) == 2);
	CHECK(mactab_learn(t, mactab_key(7, 1), 5, 100000, &old) == MACTAB_NEW);
	CHECK(mactab_expire(t, 200000) != 0 && find(t, 1, 200000) == 2);
	CHECK(mactab_used(t) == 1);
	CHECK(learn(t, 1, 2, 200000) == MACTAB_KNOWN);
	CHECK(stick(t, 9) == -ENOENT);
	mactab_free(t);
}

static void sticky_alone_lets_expiry_look_again_in_time(void)
{
	struct mactab *t = table(16);

	learn(t, 1, 2, 10);
	stick(t, 1);
	CHECK(mactab_expire(t, 500) == 500 + 100 + 1);
	mactab_free(t);
}

static void a_flush_leaves_the_sticky_and_forgetting_takes_them(void)
{
	struct mactab *t = table(16);
	unsigned int old;

	for (uint64_t a = 1; a <= 4; a++)
		learn(t, a, 2, 0);
	mactab_learn(t, mactab_key(5, 4), 2, 0, &old);
	stick(t, 1);
	stick(t, 4);
	mactab_flush(t, 2, -1);
	CHECK(mactab_used(t) == 2 && mactab_count(t, 2) == 2);
	mactab_flush(t, -1, -1);
	CHECK(find(t, 1, 0) == 2 && find(t, 4, 0) == 2);
	mactab_forget(t, 2, 5);
	CHECK(mactab_used(t) == 2);
	mactab_forget(t, 2, 0);
	CHECK(mactab_used(t) == 0 && mactab_sticky(t) == 0);
	mactab_free(t);
}

static void a_port_loses_only_what_no_reason_holds(void)
{
	struct mactab *t = table(16);
	struct mactab_entry e;

	for (uint64_t a = 1; a <= 3; a++)
		learn(t, a, 2, 0);
	learn(t, 4, 3, 0);
	stick(t, 1);
	CHECK(mactab_stick_port(t, 2, MACTAB_STICKY_PORT) == 0);
	CHECK(mactab_sticky(t) == 3 && find(t, 4, 101) == -1);
	mactab_unstick_port(t, 2, MACTAB_STICKY_PORT, 1000);
	CHECK(mactab_sticky(t) == 1);
	CHECK(mactab_get(t, mactab_key(0, 1), 5000, &e) &&
	      e.sticky == MACTAB_STICKY_HAND);
	CHECK(find(t, 2, 1100) == 2 && find(t, 2, 1101) == -1);
	mactab_free(t);
}

static void no_flood_evicts_the_sticky(void)
{
	struct mactab *t = table(16);
	int lost = 0;

	for (uint64_t a = 1; a <= 1000; a++)
		learn(t, a, 1, 0);
	CHECK(mactab_stick_port(t, 1, MACTAB_STICKY_PORT) == 0);
	for (uint64_t a = 1; a <= 1000000; a++)
		learn(t, 1 << 20 | a, a & 1 ? 1 : 2, 200);
	for (uint64_t a = 1; a <= 1000; a++)
		lost += find(t, a, 200) != 1;
	CHECK(lost == 0 && mactab_sticky(t) == 1000);
	CHECK(mactab_slots(t) == MACTAB_MAX_SLOTS);
	mactab_free(t);
}

static void half_of_the_table_is_for_others(void)
{
	struct mactab *t = table(16);
	unsigned int found = 0;

	for (uint64_t a = 1; a <= MACTAB_MAX_STICKY + 100; a++)
		learn(t, a, 1, 0);
	CHECK(mactab_stick_port(t, 1, MACTAB_STICKY_PORT) == -ENOSPC);
	CHECK(mactab_sticky(t) == MACTAB_MAX_STICKY && !mactab_may_stick(t));
	for (uint64_t a = 1; a <= 50000; a++)
		learn(t, 1 << 20 | a, 2, 0);
	for (uint64_t a = 1; a <= 50000; a++)
		found += find(t, 1 << 20 | a, 0) == 2;
	CHECK(found > 49000); /* some find both of their sets full */
	mactab_forget(t, 1, -1);
	CHECK(mactab_may_stick(t) && mactab_sticky(t) == 0);
	mactab_free(t);
}

static void a_port_has_room_again_when_its_addresses_have_expired(void)
{
	struct mactab *t = table(16);

	for (uint64_t a = 1; a <= 4; a++)
		learn(t, a, 1, (uint32_t)a);
	CHECK(!mactab_has_room(t, 1, 4, 50) && mactab_has_room(t, 1, 5, 50));
	CHECK(mactab_has_room(t, 2, 1, 50));
	CHECK(!mactab_has_room(t, 1, 4, 101));
	CHECK(mactab_has_room(t, 1, 4, 102) && mactab_count(t, 1) == 3);
	CHECK(mactab_is_on(t, mactab_key(0, 2), 1));
	CHECK(!mactab_is_on(t, mactab_key(0, 2), 2));
	CHECK(!mactab_is_on(t, mactab_key(0, 1), 1));
	mactab_free(t);
}

static void trimming_forgets_the_longest_silent_first(void)
{
	struct mactab *t = table(16);

	for (uint64_t a = 1; a <= 50; a++)
		learn(t, a, 1, (uint32_t)(100 + a));
	learn(t, 99, 2, 101);
	stick(t, 1);
	mactab_trim(t, 1, 50, 160);
	CHECK(mactab_count(t, 1) == 50);
	mactab_trim(t, 1, 11, 160);
	CHECK(mactab_count(t, 1) == 11 && mactab_used(t) == 12);
	CHECK(find(t, 1, 160) == 1 && find(t, 99, 160) == 2);
	CHECK(find(t, 40, 160) == -1 && find(t, 41, 160) == 1);
	for (uint64_t a = 41; a <= 50; a++)
		learn(t, a, 1, 170);
	mactab_trim(t, 1, 4, 170); /* of the same age: any of them */
	CHECK(mactab_count(t, 1) == 4 && find(t, 1, 170) == 1);
	mactab_trim(t, 1, 0, 170);
	CHECK(mactab_count(t, 1) == 1);
	mactab_free(t);
}

int main(void)
{
	RUN(an_idle_address_is_forgotten);
	RUN(vlans_learn_apart);
	RUN(a_station_moves_only_after_silence);
	RUN(the_table_grows_and_keeps_everything);
	RUN(resizing_keeps_everything);
	RUN(a_flooding_port_evicts_only_its_own);
	RUN(flushing_takes_the_port_and_vlan_asked_for);
	RUN(one_flush_takes_many_ports_and_vlans);
	RUN(flushing_is_exact_whatever_happened_before);
	RUN(what_was_looked_up_before_is_not_believed_too_long);
	RUN(a_station_that_speaks_stays_known);
	RUN(expiry_tells_what_went_and_when_to_look_again);
	RUN(whatever_is_forgotten_is_told);
	RUN(an_expired_station_may_move_at_once);
	RUN(listing_visits_each_entry_once);
	RUN(a_sticky_address_neither_expires_nor_moves);
	RUN(sticky_alone_lets_expiry_look_again_in_time);
	RUN(a_flush_leaves_the_sticky_and_forgetting_takes_them);
	RUN(a_port_loses_only_what_no_reason_holds);
	RUN(no_flood_evicts_the_sticky);
	RUN(half_of_the_table_is_for_others);
	RUN(a_port_has_room_again_when_its_addresses_have_expired);
	RUN(trimming_forgets_the_longest_silent_first);
	DONE();
}
