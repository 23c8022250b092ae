// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture.h"

#include "../base/cleanup.h"
#include "../base/error.h"
#include "link.h"
#include "pcapng.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define NS_PER_S    1000000000ULL
#define READ_BUFFER (256U << 10)

struct sw_capture {
	const char *path;
	gzFile gzip;	 /* reads what is not compressed, too */
	uint8_t head[4]; /* of what it reads, looked at ahead */
	uint32_t peeked;
	pcap_t *pcap; /* or: */
	struct sw_pcapng *pcapng;
	FILE *stream; /* of pcapng */
	int link;     /* of pcap */
	uint64_t skipped;
	int skipped_link;
	uint64_t size;
	uint64_t now_ns;
	bool is_gzip;
	bool breaks_off;
	char damage[PCAP_ERRBUF_SIZE + 64];
};

static ssize_t read_stream(void *cookie, char *buffer, size_t size)
{
	struct sw_capture *capture = cookie;
	int got;

	if (capture->peeked && size >= capture->peeked) {
		got = (int)capture->peeked;
		memcpy(buffer, capture->head, capture->peeked);
		capture->peeked = 0;
		return got;
	}
	got = gzread(capture->gzip, buffer, size > READ_BUFFER ? READ_BUFFER : (unsigned int)size);
	if (got < 0)
		errno = EIO;
	return got;
}

/*
 * What was wrong with the file itself, or NULL. One that ends within its compressed data still gives
 * what comes before that.
 */
static const char *stream_error(const struct sw_capture *capture)
{
	int code = Z_OK;
	const char *text = gzerror(capture->gzip, &code);

	switch (code) {
	case Z_OK:
		return NULL;
	case Z_BUF_ERROR:
		return "the compressed data breaks off";
	case Z_ERRNO:
		return "input/output error";
	case Z_MEM_ERROR:
		return "not enough memory";
	default:
		return strncmp(text, "<fd:", 4) ? text : strchr(text, ' ') + 1;
	}
}

/* Opens what the path names, if it is something that one can read. */
static int open_path(struct sw_capture *capture, int *fd)
{
	const char *path = capture->path;
	struct stat stat;

	*fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (*fd < 0 || fstat(*fd, &stat))
		return sw_error(errno, "cannot open %s: %s", path, sw_errno_text(errno));
	if (S_ISDIR(stat.st_mode))
		return sw_error(EISDIR, "%s is a directory: expected a capture file", path);
	if (S_ISREG(stat.st_mode)) {
		if (!stat.st_size)
			return sw_error(ENODATA, "%s is empty: expected a pcap or pcapng capture",
					path);
		capture->size = (uint64_t)stat.st_size;
	}
	return 0;
}

static int open_stream(struct sw_capture *capture)
{
	SW_AUTO_FD int fd = -1;
	int error = open_path(capture, &fd);
	uint8_t magic[2];

	if (error)
		return error;
	capture->is_gzip = pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
			   magic[0] == 0x1f && magic[1] == 0x8b; /* RFC 1952 section 2.3.1 */
	capture->gzip = gzdopen(fd, "rb");
	if (!capture->gzip)
		return -ENOMEM;
	sw_take_fd(&fd);
	gzbuffer(capture->gzip, READ_BUFFER);
	return 0;
}

/* What libpcap did not like, in words for somebody who does not know libpcap. */
static int not_a_capture(const struct sw_capture *capture, const char *reason)
{
	const char *path = capture->path, *broken = stream_error(capture);

	if (broken)
		return sw_error(EIO, "cannot read %s: %s", path, broken);
	if (strstr(reason, "unknown file format"))
		return sw_error(EIO, "%s is no capture: expected pcap or pcapng, also gzipped",
				path);
	if (strstr(reason, "truncated"))
		return sw_error(ENODATA, "%s is too short: expected a pcap or pcapng capture",
				path);
	return sw_error(EIO, "cannot read %s: %s", path, reason);
}

static int unsupported(const struct sw_capture *capture, int link)
{
	const char *name = pcap_datalink_val_to_name(link);

	return sw_error(ENOTSUP,
			"%s: link type %s (%d) is not supported; expected Ethernet, IP, PPP, HDLC, "
			"FDDI, 802.11, NFLOG, BSD loopback or Linux cooked (SLL, SLL2)",
			capture->path, name ? name : "unknown", link);
}

static int open_pcap(struct sw_capture *capture, FILE **file)
{
	char reason[PCAP_ERRBUF_SIZE] = "";

	capture->pcap = pcap_fopen_offline_with_tstamp_precision(*file, PCAP_TSTAMP_PRECISION_NANO,
								 reason);
	if (!capture->pcap)
		return not_a_capture(capture, reason);
	*file = NULL; /* it is libpcap's now */
	capture->link = pcap_datalink(capture->pcap);
	return sw_link_is_known(capture->link) ? 0 : unsupported(capture, capture->link);
}

static int open_pcapng(struct sw_capture *capture, FILE **file)
{
	capture->pcapng = sw_pcapng_new(*file);
	if (!capture->pcapng)
		return -ENOMEM;
	capture->stream = *file;
	*file = NULL;
	return 0;
}

/* Which of the two it is, the first four bytes tell. */
int sw_capture_begin(struct sw_capture *capture)
{
	cookie_io_functions_t functions = { .read = read_stream };
	SW_AUTO_FILE FILE *file = fopencookie(capture, "rb", functions);
	const uint32_t pcapng = SW_PCAPNG_MAGIC;
	int got;

	if (!file)
		return -ENOMEM;
	setvbuf(file, NULL, _IOFBF, READ_BUFFER);
	got = gzread(capture->gzip, capture->head, sizeof(capture->head));
	capture->peeked = got > 0 ? (uint32_t)got : 0;
	if (capture->peeked == sizeof(pcapng) && !memcmp(capture->head, &pcapng, sizeof(pcapng)))
		return open_pcapng(capture, &file);
	return open_pcap(capture, &file);
}

int sw_capture_open(const char *path, struct sw_capture **capture)
{
	SW_AUTO_CAPTURE struct sw_capture *made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->path = path;
	error = open_stream(made);
	if (error)
		return error;
	*capture = made;
	made = NULL;
	return 0;
}

void sw_capture_close(struct sw_capture *capture)
{
	if (!capture)
		return;
	if (capture->pcap)
		pcap_close(capture->pcap);
	sw_pcapng_free(capture->pcapng);
	if (capture->stream)
		fclose(capture->stream);
	if (capture->gzip)
		gzclose(capture->gzip);
	free(capture);
}

/* Nothing can be read any more: is that the file's end? */
static int at_end(struct sw_capture *capture, int answer)
{
	const char *reason = answer == PCAP_ERROR ? pcap_geterr(capture->pcap) : "";
	const char *broken = stream_error(capture);

	if (!broken && answer != PCAP_ERROR)
		return 0;
	capture->breaks_off = broken || strstr(reason, "truncated");
	if (!broken && capture->breaks_off)
		broken = "it breaks off within a record";
	sw_format(capture->damage, sizeof(capture->damage), "%s", broken ? broken : reason);
	return -EIO;
}

/* The same for pcapng, of which nothing may be of a link type that is known. */
static int at_end_pcapng(struct sw_capture *capture, int answer)
{
	const char *broken = stream_error(capture);
	uint32_t count = sw_pcapng_links(capture->pcapng), known = 0;

	for (uint32_t i = 0; i < count; i++)
		known += sw_link_is_known(sw_pcapng_link(capture->pcapng, i));
	if (count && !known)
		return unsupported(capture, sw_pcapng_link(capture->pcapng, 0));
	if (!answer && !broken)
		return 0;
	capture->breaks_off = broken || answer == -ENODATA;
	if (capture->breaks_off && !count)
		return not_a_capture(capture, "truncated");
	sw_format(capture->damage, sizeof(capture->damage), "%s",
		  broken ? broken : sw_pcapng_damage(capture->pcapng));
	return -EIO;
}

/* A record without a time, and one that is earlier than its predecessor, happened when that did. */
static void advance_clock(struct sw_capture *capture, uint64_t now_ns)
{
	if (now_ns > capture->now_ns)
		capture->now_ns = now_ns;
}

/* Seconds are 32 bits in pcap, unsigned though libpcap says otherwise. */
static uint64_t pcap_time(const struct timeval *time)
{
	uint64_t seconds = time->tv_sec < 0 ? (uint32_t)time->tv_sec : (uint64_t)time->tv_sec;

	return seconds * NS_PER_S + (uint32_t)time->tv_usec; /* which are ns here */
}

/* One whose interface is of another type is no reason to refuse the others. */
static int next_pcapng(struct sw_capture *capture, struct sw_replay_frame *frame)
{
	struct sw_pcapng_packet packet;
	int answer;

	while ((answer = sw_pcapng_next(capture->pcapng, &packet)) == 1) {
		advance_clock(capture, packet.time_ns);
		if (!sw_link_is_known(packet.link)) {
			capture->skipped_link = packet.link;
			capture->skipped++;
			continue;
		}
		frame->time_ns = capture->now_ns;
		sw_link_to_frame(packet.link, packet.data, packet.captured, packet.length, frame);
		return 1;
	}
	return at_end_pcapng(capture, answer);
}

int sw_capture_next(struct sw_capture *capture, struct sw_replay_frame *frame)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int answer;

	if (capture->pcapng)
		return next_pcapng(capture, frame);
	answer = pcap_next_ex(capture->pcap, &header, &data);
	if (answer != 1)
		return at_end(capture, answer);
	advance_clock(capture, pcap_time(&header->ts));
	frame->time_ns = capture->now_ns;
	sw_link_to_frame(capture->link, data, header->caplen, header->len, frame);
	return 1;
}

uint64_t sw_capture_skipped(const struct sw_capture *capture, int *link, const char **name)
{
	*link = capture->skipped_link;
	*name = pcap_datalink_val_to_name(capture->skipped_link);
	if (!*name)
		*name = "unknown";
	return capture->skipped;
}

const char *sw_capture_damage(const struct sw_capture *capture)
{
	return capture->damage;
}

bool sw_capture_breaks_off(const struct sw_capture *capture)
{
	return capture->breaks_off;
}

uint64_t sw_capture_size(const struct sw_capture *capture)
{
	return capture->size;
}

uint64_t sw_capture_position(const struct sw_capture *capture)
{
	z_off_t at = gzoffset(capture->gzip);

	return at > 0 ? (uint64_t)at : 0;
}

bool sw_capture_is_gzip(const struct sw_capture *capture)
{
	return capture->is_gzip;
}
