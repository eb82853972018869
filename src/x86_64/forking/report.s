# report.s - what the program says to whoever started it, and how it ends when it cannot start.

        .intel_syntax noprefix
        .include "linux-gas.inc"
        .include "forking/forking.inc"

        .global announce, usage, fail

STATUS_FAILED           = 1
STATUS_USAGE            = 2
LINE_MAX                = 128       # above the longest line that can be made here

        .text
# announce - say on standard output which port the program listens on.
#
# In:      edi      the listening socket
# Clobbers: rax, rcx, rdx, rsi, rdi, r10, r11
# Errors:  ends the program by fail: who waits for the line would wait for ever
announce:
        lea     rsi, [rip + address]
        lea     rdx, [rip + address_size]       # room going in, bytes used coming out
        mov     dword ptr [rdx], SOCKADDR_IN_SIZE
        mov     eax, SYS_getsockname
        syscall
        lea     rdi, [rip + call_getsockname]
        test    eax, eax
        js      fail

        lea     rdi, [rip + line]
        lea     rsi, [rip + text_listening]
        call    append_text
        movzx   eax, word ptr [rip + address + SOCKADDR_IN_port]
        xchg    al, ah                          # it is there with its high byte first
        call    append_number
        mov     byte ptr [rdi], LF
        inc     rdi

        mov     r10d, STDOUT
        call    write_line
        lea     rdi, [rip + call_write]
        test    eax, eax
        js      fail
        ret

# usage - end the program because it was not called as it wants to be; never returns.
#
# Out:     the status is STATUS_USAGE
# Errors:  none: when the line cannot be written, nobody is left to tell
usage:  lea     rdi, [rip + line]
        lea     rsi, [rip + text_usage]
        call    append_text
        mov     r10d, STDERR
        call    write_line
        mov     edi, STATUS_USAGE
        jmp     exit

# fail - end the program because a system call failed, and say which and why; never returns.
#
# In:      rdi      the call's name, a counted text
#          eax      what it returned: minus the errno
#
# For the length of this routine:
#   ebx    the errno
#   r12    the call's name
fail:   mov     ebx, eax
        neg     ebx
        mov     r12, rdi
        lea     rdi, [rip + line]
        lea     rsi, [rip + text_forking]
        call    append_text
        mov     rsi, r12
        call    append_text
        lea     rsi, [rip + text_colon]
        call    append_text

        # The table holds an errno and a counted text in turn; errno 0 ends it.
        lea     rsi, [rip + reasons]
.Lreason:
        movzx   eax, byte ptr [rsi]
        inc     rsi
        test    eax, eax
        jz      .Luncommon
        cmp     eax, ebx
        je      .Lknown
        movzx   eax, byte ptr [rsi]
        lea     rsi, [rsi + rax + 1]
        jmp     .Lreason
.Luncommon:
        lea     rsi, [rip + text_error]
        call    append_text
        mov     eax, ebx
        call    append_number
        jmp     .Lsay
.Lknown:
        call    append_text

.Lsay:  mov     byte ptr [rdi], LF
        inc     rdi
        mov     r10d, STDERR
        call    write_line
        mov     edi, STATUS_FAILED

# exit - end the program; falls in from fail.
#
# In:      edi      the status
# Out:     never returns
exit:   mov     eax, SYS_exit_group
        syscall

# write_line - write what has been put together at `line`, all of it.
#
# In:      rdi      one past its last byte
#          r10d     the descriptor
# Out:     eax      minus the errno when it could not be written; SF tells
# Clobbers: rcx, rdx, rsi, rdi, r11
write_line:
        lea     rsi, [rip + line]
        mov     rdx, rdi
        sub     rdx, rsi
        mov     edi, r10d
.Lwrite:
        mov     eax, SYS_write
        syscall
        cmp     eax, -EINTR
        je      .Lwrite
        test    eax, eax
        js      .Lwritten
        add     rsi, rax
        sub     rdx, rax
        jnz     .Lwrite
.Lwritten:
        ret

# reason ERRNO, "text" - one entry of the table.
.macro reason number:req, text:req
        .byte   \number
        counted reason_\number, "\text"
.endm

        .section .rodata
reasons:
        reason  EPERM, "Operation not permitted"
        reason  EBADF, "Bad file descriptor"
        reason  ENOMEM, "Cannot allocate memory"
        reason  EACCES, "Permission denied"
        reason  ENFILE, "Too many open files in system"
        reason  EMFILE, "Too many open files"
        reason  ENOSPC, "No space left on device"
        reason  EPIPE, "Broken pipe"
        reason  ENOSYS, "Function not implemented"
        reason  EADDRINUSE, "Address already in use"
        reason  ENOBUFS, "No buffer space available"
        .byte   0

        counted text_listening, "Listening on port "
        counted text_usage, "usage: forking [PORT]  (0 to 65535, 8080 if not given; 0: any free one)\n"
        counted text_forking, "forking: "
        counted text_colon, ": "
        counted text_error, "error "
        counted call_getsockname, "getsockname"
        counted call_write, "write"

        .bss
        .balign 8
address:
        .skip   SOCKADDR_IN_SIZE
address_size:
        .skip   4
line:   .skip   LINE_MAX

        .section .note.GNU-stack, "", @progbits
