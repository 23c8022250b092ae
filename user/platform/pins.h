/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_PLATFORM_PINS_H
#define SYNWARD_PLATFORM_PINS_H

/*
 * The pin directory, which is all that outlives a command:
 *
 *	DIR/maps/NAME           every map; "identity" is pinned last and unpinned first, so that
 *	                        without it the maps are what an interrupted command has left
 *	DIR/lists/LIST_bucketsN the tables of a list, see list_table.h
 *	DIR/programs/sw_clock   tells the clock of the entries; beside it sw_switch, and the sw_arm whose
 *	                        object the sweeper's code is of
 *	DIR/links/SLOT/xdp      the ingress link of the interface in that slot of the map "interfaces"
 *	DIR/links/SLOT/tcx      its egress link, or, where the kernel has no TCX:
 *	DIR/links/SLOT/filter   the program of its clsact filter
 *	DIR/links/SLOT/qdisc    an empty directory: the clsact qdisc is ours, too
 *
 * No interface name is in a path: they may hold dots, which bpffs does not take.
 */

#include <stdbool.h>
#include <stdint.h>

#define SW_PIN_PATH 320

struct sw_pins {
	char shown[256];	/* as the user knows it */
	char path[SW_PIN_PATH]; /* as it can be reached, also from another mount namespace */
	int parent_fd;		/* the directory that it is in, on bpffs */
	bool locked;
};

#define SW_PINS_NONE                                                                               \
	{                                                                                          \
		.parent_fd = -1                                                                    \
	}

/*
 * Finds where dir is. If /sys/fs/bpf of this mount namespace is no bpffs, as in `ip netns exec`, it
 * is looked for in that of pid 1, or, where that may not be looked at, of our outermost ancestor
 * that may; with may_mount, one is mounted there if there is none. Returns 0, -SW_NOT_ATTACHED if there is
 * no bpffs and none may be mounted, -SW_NOT_ALLOWED if that cannot be told, or another -errno, all with
 * their line. Without /proc nothing can be told: -ENODEV.
 */
int sw_pins_locate(const char *dir, bool may_mount, struct sw_pins *pins);

/* What an errno says of something that could not be opened: it is not there, or may not be opened. */
bool sw_is_absent(int error);
bool sw_is_refused(int error);

/* Or it says nothing of it: descriptors or memory have run out. */
bool sw_is_shortage(int error);

/* Records that nothing is attached. Returns -SW_NOT_ATTACHED. */
int sw_not_attached(void);

/* How long a change waits for another by default. */
#define SW_LOCK_PATIENCE_MS 30000

/*
 * Keeps every other change waiting until sw_pins_close(). While somebody else holds the lock, who that is is noted,
 * and after patience_ms, in milliseconds, it is an error, -EBUSY. Anybody who may read the parent may hold it.
 */
int sw_pins_lock(struct sw_pins *pins, uint32_t patience_ms);

/*
 * Is somebody changing what is attached just now? Of pins that we have not locked ourselves. What is unfinished is under way
 * then, and is what an interrupted change has left if not.
 */
bool sw_pins_are_locked(const struct sw_pins *pins);

void sw_pins_close(struct sw_pins *pins);

/* Writes a path inside the pin directory. */
void sw_pins_path(const struct sw_pins *pins, char path[SW_PIN_PATH], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The group whose members may read what is pinned, if there is such a group. */
#define SW_READERS "synward"

/* Lets the readers read a pin. Where that cannot be, it stays its owner's, and nothing else changes. */
void sw_pins_let_read(const struct sw_pins *pins, const char *name);

/*
 * May pins be made and removed there, or is it mounted read-only? Who finds that out half-way leaves what
 * neither works nor goes away. 0 or -EROFS with its line.
 */
int sw_pins_check_writable(const struct sw_pins *pins);

bool sw_pins_exist(const struct sw_pins *pins, const char *name);

/* The sticky bit, by which a pin directory that is empty still is known to be ours and not somebody else's. */
#define SW_PIN_DIR_MARK 01000

/* Makes a directory below the pin directory, or, for "", the pin directory, which the readers may enter; fine if
 * it is there. */
int sw_pins_make_dir(const struct sw_pins *pins, const char *name);

/*
 * Pins what fd is, in the place and for the readers of what has that name, if anything: at no moment is there none
 * of the two. What an interrupted one leaves is NAME_next, which the next one removes. 0, or -errno with its line.
 */
int sw_pins_replace(const struct sw_pins *pins, const char *name, int fd);

/* Removes a file or directory with all that is in it. What is not there is fine. */
int sw_pins_remove(const struct sw_pins *pins, const char *name);

/* Removes the whole pin directory: all programs are detached and all maps vanish. */
int sw_pins_remove_all(const struct sw_pins *pins);

#endif
