package gofka.compat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The data set that all drivers produce, and how all of them render what they read back. */
final class Data {
    private Data() {}

    static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] key(int i) {
        return bytes("key-" + i);
    }

    static byte[] value(int i) {
        return bytes("value-" + i + "-" + "x".repeat(100));
    }

    static byte[] wideValue(int i) {
        String head = "value-" + i + "-";
        return bytes(head + "x".repeat(1000 - head.length()));
    }

    static byte[] large() {
        byte[] all = new byte[900_000];
        for (int j = 0; j < all.length; j++) {
            all[j] = (byte) (j % 251);
        }
        return all;
    }

    /** Short bytes as hex, long ones as length and hash, none as null. */
    static String render(byte[] b) {
        if (b == null) {
            return null;
        }
        return b.length <= 64 ? HexFormat.of().formatHex(b) : b.length + ":" + hex(sha().digest(b));
    }

    static String hash(List<ConsumerRecord<byte[], byte[]>> records) {
        MessageDigest sha = sha();
        records.stream()
                .sorted(Comparator.<ConsumerRecord<byte[], byte[]>>comparingInt(r -> r.partition())
                        .thenComparingLong(r -> r.offset()))
                .forEach(r -> {
                    sha.update(bytes(r.partition() + ":" + r.offset() + ":"));
                    sha.update(r.key());
                    sha.update((byte) ':');
                    sha.update(r.value());
                    sha.update((byte) '\n');
                });
        return hex(sha.digest());
    }

    static MessageDigest sha() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String hex(byte[] b) {
        return HexFormat.of().formatHex(b);
    }

    /** An ordered map from alternating names and values. */
    static Map<String, Object> fields(Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }
}
