import { accountsContract } from '../contracts/accounts.contract.ts';
import { inboxesContract } from '../contracts/inboxes.contract.ts';
import { resumeTokensContract } from '../contracts/resume-tokens.contract.ts';
import { roomMessagesContract } from '../contracts/room-messages.contract.ts';
import { roomsContract } from '../contracts/rooms.contract.ts';
import { kafkaCluster } from './cluster.ts';

accountsContract('Kafka', kafkaCluster);
inboxesContract('Kafka', kafkaCluster);
resumeTokensContract('Kafka', kafkaCluster);
roomsContract('Kafka', kafkaCluster);
roomMessagesContract('Kafka', kafkaCluster);
