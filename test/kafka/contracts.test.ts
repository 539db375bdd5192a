import { accountsContract } from '../contracts/accounts.contract.ts';
import { inboxesContract } from '../contracts/inboxes.contract.ts';
import { sessionsContract } from '../contracts/sessions.contract.ts';
import { kafkaCluster } from './cluster.ts';

accountsContract('Kafka', kafkaCluster);
inboxesContract('Kafka', kafkaCluster);
sessionsContract('Kafka', kafkaCluster);
