import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes the lines of its input to a topic by Kafka's own client, up to an empty line: JavaProducer BROKERS TOPIC CODEC MODE.
 * MODE is as in confluent.py, or large: what the client packs into one batch if it may.
 */
class JavaProducer {
  public static void main(String[] args) throws Exception {
    String topic = args[1];
    String mode = args[3];
    boolean isTransaction = mode.equals("commit") || mode.equals("abort") || mode.equals("open");
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("compression.type", args[2]);
    settings.put("enable.idempotence", mode.equals("plain") ? "false" : "true");
    if (mode.equals("large")) {
      settings.put("batch.size", "1048576");
      settings.put("linger.ms", "1000");
    }
    if (isTransaction) settings.put("transactional.id", topic + "." + ProcessHandle.current().pid());
    StringSerializer text = new StringSerializer();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
      if (isTransaction) {
        producer.initTransactions();
        producer.beginTransaction();
      }
      ArrayList<Future<?>> sent = new ArrayList<>();
      for (String line = input.readLine(); line != null && !line.isEmpty(); line = input.readLine()) {
        sent.add(producer.send(new ProducerRecord<>(topic, line)));
      }
      producer.flush();
      for (Future<?> one : sent) one.get();
      if (mode.equals("open")) {
        System.out.println("stored");
        while (input.readLine() != null) {}
      }
      if (mode.equals("abort")) producer.abortTransaction();
      else if (isTransaction) producer.commitTransaction();
    }
  }
}
