// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is said of a pin directory that cannot be read: that nothing is attached was seen, and is never
 * a guess of whoever may not look; what was detached meanwhile is not damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../user/base/error.h"
#include "../../user/platform/instance.h"
#include "../../user/policy/armed.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char parent[64], dir[80];
static struct sw_pins pins = SW_PINS_NONE;

static void path_of(char path[SW_PIN_PATH], const char *name)
{
	snprintf(path, SW_PIN_PATH, "%s/%s", dir, name);
}

static void pin(const char *name, uint32_t size, const void *value)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), size, 1, NULL);
	char pin_name[32], path[SW_PIN_PATH];
	uint32_t zero = 0;

	snprintf(pin_name, sizeof(pin_name), "maps/%s", name);
	path_of(path, pin_name);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, value, BPF_ANY), 0);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
}

static void unpin(const char *name)
{
	char path[SW_PIN_PATH];

	path_of(path, name);
	assert_int_equal(unlink(path), 0);
}

static void pin_identity(uint32_t version, uint64_t created_ns)
{
	const struct sw_identity identity = { .abi_version = version, .created_ns = created_ns };

	pin("identity", sizeof(identity), &identity);
}

/* What an attach leaves, as far as it is about being there. */
static int attach(void **state)
{
	const uint32_t armed = 1;

	(void)state;
	sw_error_clear();
	snprintf(parent, sizeof(parent), "/sys/fs/bpf/swtest-instance-%d", getpid());
	snprintf(dir, sizeof(dir), "%s/synward", parent);
	mkdir(parent, 0755);
	if (sw_pins_locate(dir, false, &pins) || sw_pins_make_dir(&pins, "") ||
	    sw_pins_make_dir(&pins, "maps"))
		return -1;
	pin("armed", sizeof(armed), &armed);
	pin_identity(SW_ABI_VERSION, 1);
	return 0;
}

static int detach(void **state)
{
	(void)state;
	sw_pins_remove_all(&pins);
	sw_pins_close(&pins);
	return rmdir(parent);
}

/* failure: an enum sw_failure or an errno */
static void expect(int error, int failure, const char *words)
{
	assert_int_equal(error, -failure);
	assert_non_null(sw_error_text());
	if (!strstr(sw_error_text(), words))
		fail_msg("'%s' is not in: %s", words, sw_error_text());
	sw_error_clear();
}

/* Whom system calls take us for, access(2) too; root's place is kept. */
static void become(uid_t who)
{
	assert_int_equal(setresuid(who, who, 0), 0);
}

/* Opens it as somebody; the descriptors go at once. */
static int open_as(uid_t who)
{
	struct sw_instance instance = SW_INSTANCE_NONE;
	int error;

	become(who);
	error = sw_instance_open(dir, SW_ACCESS_READ, &instance);
	become(0);
	sw_instance_close(&instance);
	return error;
}

static int disarm_as(uid_t who)
{
	int error;

	become(who);
	error = sw_disarm(dir);
	become(0);
	return error;
}

static void test_what_is_there(void **state)
{
	(void)state;
	assert_int_equal(open_as(0), 0);
	assert_int_equal(disarm_as(0), 0);
	assert_null(sw_error_text());
}

static void test_nothing(void **state)
{
	(void)state;
	assert_int_equal(sw_pins_remove_all(&pins), 0);
	expect(open_as(0), SW_NOT_ATTACHED, "nothing is attached");
	expect(disarm_as(0), SW_NOT_ATTACHED, "nothing is attached");
	/* whoever may look sees that, too */
	expect(open_as(NOBODY), SW_NOT_ATTACHED, "nothing is attached");
	rmdir(parent);
	expect(open_as(0), SW_NOT_ATTACHED, "nothing is attached");
	mkdir(parent, 0755);
}

static void test_who_may_not_look(void **state)
{
	const char *closed[] = { dir, parent };
	char maps[SW_PIN_PATH];

	(void)state;
	path_of(maps, "maps");
	chmod(dir, 0755);
	chmod(maps, 0755);
	expect(open_as(NOBODY), SW_NOT_ALLOWED, "run as root");
	expect(disarm_as(NOBODY), SW_NOT_ALLOWED, "run as root");
	for (int i = 0; i < 2; i++) {
		chmod(closed[i], 0700);
		expect(open_as(NOBODY), SW_NOT_ALLOWED, "run as root");
		expect(disarm_as(NOBODY), SW_NOT_ALLOWED, "run as root");
		chmod(closed[i], 0755);
	}
	/* also of what is not there */
	assert_int_equal(sw_pins_remove_all(&pins), 0);
	chmod(parent, 0700);
	expect(open_as(NOBODY), SW_NOT_ALLOWED, "run as root");
	expect(disarm_as(NOBODY), SW_NOT_ALLOWED, "run as root");
	chmod(parent, 0755);
}

static void test_what_is_damaged(void **state)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	bool armed;

	(void)state;
	assert_int_equal(sw_instance_open(dir, SW_ACCESS_READ, &instance), 0);
	unpin("maps/armed");
	expect(sw_armed_read(&instance, &armed), SW_DAMAGED, "maps/armed cannot be opened");
	expect(disarm_as(0), SW_DAMAGED, "maps/armed cannot be opened");
	assert_int_equal(sw_instance_check(&instance), 0);
}

/* As after an rm, with the programs still at work: nothing may be said to be detached. */
static void test_hooks_without_an_identity(void **state)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	bool armed;

	(void)state;
	assert_int_equal(sw_pins_make_dir(&pins, "links"), 0);
	assert_int_equal(sw_instance_open(dir, SW_ACCESS_READ, &instance), 0);
	assert_int_equal(sw_pins_make_dir(&pins, "links/0"), 0);
	unpin("maps/identity");
	expect(open_as(0), SW_DAMAGED, "maps/identity cannot be opened");
	assert_int_equal(sw_instance_check(&instance), 0);
	assert_int_equal(disarm_as(0), 0);
	assert_int_equal(sw_pins_remove(&pins, "maps"), 0);
	expect(open_as(0), SW_DAMAGED, "maps/identity cannot be opened");
	expect(disarm_as(0), SW_DAMAGED, "maps/armed cannot be opened");
	expect(sw_armed_read(&instance, &armed), SW_DAMAGED, "maps/armed cannot be opened");
	/* an empty directory has no hooks */
	assert_int_equal(sw_pins_remove(&pins, "links/0"), 0);
	expect(open_as(0), SW_NOT_ATTACHED, "nothing is attached");
	expect(disarm_as(0), SW_NOT_ATTACHED, "nothing is attached");
}

/* What could not be opened for want of a descriptor is as whole as before. */
static void test_a_shortage_is_no_damage(void **state)
{
	struct rlimit before, few;
	int next = dup(0), error = -EMFILE;

	(void)state;
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	for (int spare = 0; error; spare++) {
		SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
		bool armed;

		assert_true(spare < 8);
		few.rlim_cur = (rlim_t)next + (rlim_t)spare;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		error = sw_instance_open(dir, SW_ACCESS_READ, &instance);
		if (!error)
			error = sw_armed_read(&instance, &armed);
		setrlimit(RLIMIT_NOFILE, &before);
		if (error)
			expect(error, EMFILE, ": Too many open files");
		else
			assert_true(spare > 1);
	}
}

static void test_laid_out_for_another_build(void **state)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	const uint64_t wide = 1;
	bool armed;

	(void)state;
	unpin("maps/armed");
	pin("armed", sizeof(wide), &wide);
	assert_int_equal(sw_instance_open(dir, SW_ACCESS_READ, &instance), 0);
	expect(sw_armed_read(&instance, &armed), SW_OTHER_VERSION,
	       "/synward/maps/armed is laid out");
}

/* What is pinned is reached by /proc: without that nothing is known of it. */
static void test_without_proc(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", "/proc", "tmpfs", 0, NULL))
			_exit(1);
		if (open_as(0) != -ENODEV || disarm_as(0) != -ENODEV)
			_exit(2);
		_exit(strstr(sw_error_text(), "/proc is not mounted") ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Anybody who may read the parent may hold the lock: whoever waits says for whom. */
static void test_the_lock_is_held(void **state)
{
	struct sw_pins other = SW_PINS_NONE;
	char holder[32];
	int fd = open(parent, O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_int_equal(sw_pins_locate(dir, false, &other), 0);
	for (int how = LOCK_SH; how <= LOCK_EX; how++) {
		assert_int_equal(flock(fd, how), 0);
		snprintf(holder, sizeof(holder), "(pid %d, user 0)", getpid());
		expect(sw_pins_lock(&other, 0), EBUSY, holder);
		assert_false(other.locked);
	}
	close(fd);
	assert_int_equal(sw_pins_lock(&other, 0), 0);
	assert_true(other.locked);
	sw_pins_close(&other);
}

static void test_detached_while_it_was_read(void **state)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	bool armed;

	(void)state;
	assert_int_equal(sw_instance_open(dir, SW_ACCESS_READ, &instance), 0);
	unpin("maps/identity");
	expect(sw_instance_check(&instance), SW_DETACHED, "was detached while it was read");
	unpin("maps/armed");
	expect(sw_armed_read(&instance, &armed), SW_DETACHED, "was detached while it was read");
	assert_int_equal(sw_pins_remove_all(&pins), 0);
	expect(sw_armed_read(&instance, &armed), SW_DETACHED, "was detached while it was read");
}

static void test_replaced_while_it_was_read(void **state)
{
	SW_AUTO_INSTANCE struct sw_instance instance = SW_INSTANCE_NONE;
	bool armed;

	(void)state;
	assert_int_equal(sw_instance_open(dir, SW_ACCESS_READ, &instance), 0);
	unpin("maps/identity");
	unpin("maps/armed");
	pin_identity(SW_ABI_VERSION, 2);
	expect(sw_armed_read(&instance, &armed), SW_DETACHED, "was detached while it was read");
	expect(sw_instance_check(&instance), SW_DETACHED, "was detached while it was read");
}

static void test_of_another_version(void **state)
{
	(void)state;
	unpin("maps/identity");
	pin_identity(SW_ABI_VERSION + 1, 1);
	expect(open_as(0), SW_OTHER_VERSION, "ABI version");
	assert_int_equal(disarm_as(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_there, attach, detach),
		cmocka_unit_test_setup_teardown(test_nothing, attach, detach),
		cmocka_unit_test_setup_teardown(test_who_may_not_look, attach, detach),
		cmocka_unit_test_setup_teardown(test_what_is_damaged, attach, detach),
		cmocka_unit_test_setup_teardown(test_hooks_without_an_identity, attach, detach),
		cmocka_unit_test_setup_teardown(test_a_shortage_is_no_damage, attach, detach),
		cmocka_unit_test_setup_teardown(test_laid_out_for_another_build, attach, detach),
		cmocka_unit_test_setup_teardown(test_without_proc, attach, detach),
		cmocka_unit_test_setup_teardown(test_the_lock_is_held, attach, detach),
		cmocka_unit_test_setup_teardown(test_detached_while_it_was_read, attach, detach),
		cmocka_unit_test_setup_teardown(test_replaced_while_it_was_read, attach, detach),
		cmocka_unit_test_setup_teardown(test_of_another_version, attach, detach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
