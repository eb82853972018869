# stream.s - receive from and send to the client, with what can go wrong taken care of.

        .intel_syntax noprefix
        .include "linux-gas.inc"
        .include "forking/forking.inc"

        .global receive, send

        .text
# receive - wait for bytes from the client.
#
# In:      ebx      the connection
#          rdi      where to
#          rdx      room for how many, at least one
# Out:     rax      how many came; 0 when the client has closed its end
# Clobbers: rcx, rsi, rdi, r11
# Errors:  a reset, or any other, ends the process by leave: there is nobody to tell
receive:
        mov     rsi, rdi
        mov     edi, ebx
.Lread: mov     eax, SYS_read
        syscall
        cmp     rax, -EINTR
        je      .Lread
        test    rax, rax
        js      leave
        ret

# send - send all of it, however few the kernel takes at a time.
#
# In:      ebx      the connection
#          rsi      what
#          rdx      how many bytes
#          r10d     MSG_MORE when more follows at once, else 0
# Clobbers: rax, rcx, rdx, rsi, rdi, r8, r9, r11
# Errors:  as receive
send:   mov     edi, ebx
        xor     r8d, r8d                        # to the other end, not to an address
        xor     r9d, r9d
.Lrest: test    rdx, rdx
        jz      .Lsent
        mov     eax, SYS_sendto
        syscall
        cmp     rax, -EINTR
        je      .Lrest
        test    rax, rax
        js      leave
        add     rsi, rax
        sub     rdx, rax
        jmp     .Lrest
.Lsent: ret

        .section .note.GNU-stack, "", @progbits
