// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf_object.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../maps/map_name.h"
#include "../maps/percpu.h"
#include "../maps/policy_slot.h"
#include "../maps/table_sizes.h"
#include "../platform/bpf_log.h"
#include "handover.h"
#include "object_maps.h"
#include "synward_tc.skel.h"

#include <synward/cookie.h>
#include <synward/event.h>
#include <synward/load.h>
#include <synward/tables.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define LEAST_FOLLOWED 256

struct sw_object {
	struct synward_bpf *skeleton;
	struct synward_bpf *frags; /* NULL: not asked for */
	struct synward_tc_bpf *tc; /* the same */
	const struct sw_instance *instance;
	struct sw_object_options options;
};

int sw_object_xdp(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_xdp);
}

int sw_object_egress(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_egress);
}

int sw_object_handover(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_handover);
}

int sw_object_clock(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_clock);
}

int sw_object_switch(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_switch);
}

int sw_object_tell(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_tell);
}

int sw_object_sweeper(const struct sw_object *object)
{
	return bpf_program__fd(object->skeleton->progs.sw_arm);
}

void sw_object_free(struct sw_object *object)
{
	if (!object)
		return;
	synward_tc_bpf__destroy(object->tc);
	synward_bpf__destroy(object->frags);
	synward_bpf__destroy(object->skeleton);
	free(object);
}

/* Milliseconds in a tick of the kernel, times 2^20: the coarse clock moves with the jiffies. */
static uint32_t tick_ms_q20(void)
{
	struct timespec resolution = { .tv_nsec = 4000000 };

	clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
	return (uint32_t)((((uint64_t)resolution.tv_nsec << 20) + 500000) / 1000000);
}

/*
 * How many attempts a CPU may enter in a window of 16 ms: its share of the table in a second, so that an entry stays
 * for about that long; and not so few that a server that is only busy loses sight of any. 0: all.
 *
 * And how many at once, if it has entered few for a while: half of its share. When all CPUs have done so, an empty table
 * is half full. Flows are spread by chance, so one in 27 has pushed out another one of its bucket by then; of a quarter
 * of the table it is one in 230. That is less than is lost by not following them.
 */
static void set_followed(struct load_constants *load, const struct sw_identity *identity)
{
	uint32_t share = identity->handshake_buckets * SW_WAYS / sw_cpu_count();

	if (identity->handshake_buckets >= SW_FOLLOWS_ALL_FROM)
		return;
	load->followed = share * 16 / 1000;
	if (load->followed < LEAST_FOLLOWED)
		load->followed = LEAST_FOLLOWED;
	load->burst = share / 2;
	if (load->burst < load->followed)
		load->burst = load->followed;
}

static void set_constants(struct load_constants *load, const struct sw_identity *identity,
			  const struct sw_object_options *options)
{
	load->seed[0] = identity->seed[0];
	load->seed[1] = identity->seed[1];
	load->handshake_buckets = identity->handshake_buckets;
	load->connection_buckets = identity->connection_buckets;
	load->event_records = SW_EVENT_RECORDS;
	load->tick_ms_q20 = tick_ms_q20();
	set_followed(load, identity);
	load->netns = options->netns;
	load->slot = (__u8)options->slot;
	load->checksums = options->checksums;
	load->raw_cookies = sw_raw_cookies_are_possible();
	load->handover = sw_handover_is_possible();
	load->ordered_stores = SW_ORDERED_STORES;
}

static void choose_programs(struct synward_bpf *skeleton, bool only_tc)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program, program == skeleton->progs.sw_egress ||
							   program == skeleton->progs.sw_arm ||
							   program == skeleton->progs.sw_switch ||
							   program == skeleton->progs.sw_tell ||
							   program == skeleton->progs.sw_clock);
	bpf_program__set_autoload(skeleton->progs.sw_xdp, !only_tc);
	bpf_program__set_autoload(skeleton->progs.sw_handover,
				  !only_tc && sw_handover_is_possible());
}

static int prepare_maps(const struct sw_instance *instance, struct bpf_object *object, bool create)
{
	int error = sw_size_tables(object, instance->identity.handshake_buckets,
				   instance->identity.connection_buckets);

	return error ? error : sw_object_share_maps(instance, object, create);
}

/* Whoever makes the tables can have smaller ones; all others load programs that share those that are there. */
static int load_failed(const struct sw_object *object, int error)
{
	const char *reason = sw_bpf_log_reason();

	if (error == -ENOMEM && !object->options.create)
		return sw_error(error, "not enough memory for the programs; what is attached goes "
				       "on as before: make room, then run this again");
	if (error == -ENOMEM)
		return sw_error(error, "not enough memory for the tables: choose smaller ones with "
				       "--handshakes and --connections");
	return sw_error(error, "the kernel refused the programs: %s%s%s; --verbose shows its log",
			sw_errno_text(error), reason[0] ? ": " : "", reason);
}

/* Who knows these makes cookies: nobody else may read them. */
static bool is_secret(const char *map)
{
	return !strcmp(map, "cookie_keys") || !strcmp(map, "cookie_secrets");
}

static int pin_map(const struct sw_pins *pins, struct bpf_map *map)
{
	const char *name = sw_map_name(map);
	char path[SW_PIN_PATH], pin[64];

	sw_format(pin, sizeof(pin), "maps/%s", name);
	sw_pins_path(pins, path, "%s", pin);
	if (bpf_obj_pin(bpf_map__fd(map), path))
		return sw_error(errno, "cannot pin %s/maps/%s: %s", pins->shown, name,
				sw_errno_text(errno));
	if (!is_secret(name))
		sw_pins_let_read(pins, pin);
	return 0;
}

static int pin_program(const struct sw_pins *pins, const struct bpf_program *program)
{
	char name[32];

	sw_format(name, sizeof(name), "programs/%s", bpf_program__name(program));
	return sw_pins_replace(pins, name, bpf_program__fd(program));
}

/* Those that commands run, but for the sweeper's. */
static int pin_missing_programs(const struct sw_pins *pins, const struct synward_bpf *skeleton)
{
	const struct bpf_program *const programs[] = {
		skeleton->progs.sw_clock,
		skeleton->progs.sw_switch,
		skeleton->progs.sw_tell,
	};
	char name[32];
	int error = sw_pins_make_dir(pins, "programs");

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && !error; i++) {
		sw_format(name, sizeof(name), "programs/%s", bpf_program__name(programs[i]));
		if (!sw_pins_exist(pins, name))
			error = pin_program(pins, programs[i]);
	}
	if (!error)
		sw_pins_let_read(pins, "programs/sw_clock");
	return error;
}

bool sw_programs_are_pinned(const struct sw_pins *pins)
{
	return sw_pins_exist(pins, "programs/sw_clock") &&
	       sw_pins_exist(pins, "programs/sw_switch") &&
	       sw_pins_exist(pins, "programs/sw_tell") && sw_pins_exist(pins, "programs/sw_arm");
}

int sw_object_pin_missing(const struct sw_object *object)
{
	return pin_missing_programs(&object->instance->pins, object->skeleton);
}

static int fill_map(const struct bpf_map *map, const void *value)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(bpf_map__fd(map), &zero, value, BPF_ANY))
		return sw_error(errno, "cannot write the settings: %s", sw_errno_text(errno));
	return 0;
}

/* The first secrets; later ones are made from them in the kernel. */
static int fill_keys(const struct synward_bpf *skeleton)
{
	struct sw_cookie_keys keys = {};

	if (getrandom(keys.secrets, sizeof(keys.secrets), 0) != sizeof(keys.secrets) ||
	    getrandom(&keys.clock_offset, sizeof(keys.clock_offset), 0) !=
		    sizeof(keys.clock_offset))
		return sw_error(EIO, "the kernel gave no random numbers: %s", sw_errno_text(errno));
	return fill_map(skeleton->maps.cookie_keys, &keys);
}

/* The first policy is in slot 0, and there is none to go back to. */
static int fill_maps(const struct synward_bpf *skeleton, const struct sw_identity *identity,
		     const struct sw_creation *creation)
{
	const struct sw_policy_state state = { .fallback = SW_POLICY_SLOTS };
	const __u32 armed = creation->armed;
	int error = fill_map(skeleton->maps.data_settings, &creation->settings);

	if (!error)
		error = fill_map(skeleton->maps.policies, creation->policy);
	if (!error)
		error = sw_policy_slot_add_nets(bpf_map__fd(skeleton->maps.service_nets), 0,
						creation->policy);
	if (!error)
		error = fill_map(skeleton->maps.data_policy_state, &state);
	if (!error)
		error = fill_map(skeleton->maps.data_armed, &armed);
	if (!error)
		error = fill_keys(skeleton);
	return error ? error : fill_map(skeleton->maps.identity, identity);
}

/* The pin of the identity says that all the rest is in place: it comes last. */
static int pin_all(const struct sw_pins *pins, const struct synward_bpf *skeleton)
{
	struct bpf_map *map;
	int error = sw_pins_make_dir(pins, "");

	if (!error)
		error = sw_pins_make_dir(pins, "maps");
	if (!error)
		error = sw_pins_make_dir(pins, "links");
	if (!error)
		error = pin_missing_programs(pins, skeleton);
	bpf_object__for_each_map(map, skeleton->obj) if (!error && sw_map_is_shared(map) &&
							 map != skeleton->maps.identity)
		error = pin_map(pins, map);
	return error ? error : pin_map(pins, skeleton->maps.identity);
}

/*
 * Starts the sweeper's timer, or starts it again: it does no harm to one that runs. The kernel makes a
 * timer of what memory it can have without waiting (kmalloc_nolock(), Linux 6.18), and so may have none
 * at this very moment, on a machine that is busy.
 */
static int start_sweeper(int program, bool goes_on)
{
	const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
	struct sw_arm_request request = { .goes_on = goes_on };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &request, .data_size_in = sizeof(request));

	for (int tries = 0; tries < 100; tries++) {
		if (bpf_prog_test_run_opts(program, &run))
			return sw_error(errno, "cannot start the sweeper: %s",
					sw_errno_text(errno));
		if (run.retval == XDP_PASS)
			return 0;
		nanosleep(&moment, NULL);
	}
	return sw_error(EIO, "the kernel did not start the sweeper's timer");
}

int sw_object_arm(const struct sw_object *object, bool goes_on)
{
	int program = sw_object_sweeper(object);
	int error = sw_pins_replace(&object->instance->pins, "programs/sw_arm", program);

	/* last, since nobody could take it back */
	return error ? error : start_sweeper(program, goes_on);
}

int sw_object_load(const struct sw_instance *instance, const struct sw_object_options *options,
		   struct sw_object **object)
{
	SW_AUTO_OBJECT struct sw_object *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->instance = instance;
	made->options = *options;
	made->skeleton = synward_bpf__open();
	if (!made->skeleton)
		return load_failed(made, -errno);
	set_constants(&made->skeleton->rodata->load, &instance->identity, options);
	choose_programs(made->skeleton, options->only_tc);
	error = prepare_maps(instance, made->skeleton->obj, options->create);
	if (error)
		return error;
	error = synward_bpf__load(made->skeleton);
	if (error)
		return load_failed(made, error);
	if (options->create) {
		error = fill_maps(made->skeleton, &instance->identity, options->create);
		if (!error)
			error = pin_all(&instance->pins, made->skeleton);
	}
	if (error)
		return error;
	*object = made;
	made = NULL;
	return 0;
}

int sw_object_check_maps(const struct sw_instance *instance)
{
	struct synward_bpf *skeleton = synward_bpf__open();
	int error;

	if (!skeleton)
		return -ENOMEM;
	error = sw_object_find_maps(instance, skeleton->obj);
	synward_bpf__destroy(skeleton);
	return error;
}

int sw_object_xdp_frags(struct sw_object *object)
{
	struct synward_bpf *skeleton;
	struct bpf_program *program;
	int error;

	skeleton = synward_bpf__open();
	if (!skeleton)
		return load_failed(object, -errno);
	object->frags = skeleton;
	set_constants(&skeleton->rodata->load, &object->instance->identity, &object->options);
	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program, program == skeleton->progs.sw_xdp_frags);
	error = prepare_maps(object->instance, skeleton->obj, false);
	if (error)
		return error;
	error = synward_bpf__load(skeleton);
	return error ? load_failed(object, error) : bpf_program__fd(skeleton->progs.sw_xdp_frags);
}

int sw_object_tc(struct sw_object *object)
{
	struct synward_tc_bpf *skeleton;
	int error;

	if (object->tc)
		return bpf_program__fd(object->tc->progs.sw_tc);
	skeleton = synward_tc_bpf__open();
	if (!skeleton)
		return load_failed(object, -errno);
	object->tc = skeleton;
	set_constants(&skeleton->rodata->load, &object->instance->identity, &object->options);
	error = prepare_maps(object->instance, skeleton->obj, false);
	if (error)
		return error;
	error = synward_tc_bpf__load(skeleton);
	return error ? load_failed(object, error) : bpf_program__fd(skeleton->progs.sw_tc);
}
